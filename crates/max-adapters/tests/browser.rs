//! What a client opens in a browser, in a real one: the mockup, clicked through, and every document, at three widths,
//! measured and looked at by axe. See [`max_testkit::browser`] for what is needed.

#[expect(dead_code, reason = "the house of the playbook's tests has more words than are needed here")]
#[path = "playbook/house.rs"]
mod house;

use std::path::PathBuf;

use house::House;
use max_adapters::browser::Shot;
use max_core::lead::{ApprovalKind, NewLead};
use max_testkit::browser::{Browser, Page, WIDTHS};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Report {
    width: u32,
    start: Vec<String>,
    visited: Vec<String>,
    /// What clicking led astray.
    lost: Vec<String>,
    /// Screens wider than the window.
    wide: Vec<String>,
    /// What axe objects to.
    axe: Vec<String>,
    /// What was asked of anybody.
    requests: Vec<String>,
    runs: usize,
}

/// The mockup of a lead whose words call for every kind of screen.
fn mockup() -> String {
    let mut house = House::ingest(NewLead {
        name: "Mira Sander".into(),
        email: "client@example.com".into(),
        company: Some("Lotus & Pine Yoga".into()),
        message: "Hello, we are a yoga studio in Ulm. We need a new website with online booking for our Hatha classes \
                  and a photo gallery. We sell handmade mats, blocks and incense in a small online shop. We need a \
                  contact form, a map with directions, a member area with login, a blog and a dashboard with reports. \
                  Our brand colours are yellow and dark green. Texts and photos are there. English only. I decide. \
                  No other systems. Budget 30,000 EUR, by the end of March."
            .into(),
        ..NewLead::default()
    });
    house.settle();
    house.hears("Our customers are people between 25 and 60 who book courses. We decide. English only.");
    house.settle_until(ApprovalKind::Mockup);
    house.text("mockup.html").to_owned()
}

#[test]
fn a_mockup_passes_axe_at_three_widths_and_can_be_clicked_through() {
    let Some(browser) = Browser::find() else { return };
    let reports = browser.run(&[Page::new("mockup", mockup())], include_str!("browser/look.js"));
    let reports: Vec<Report> = reports.into_iter().map(|r| serde_json::from_value(r).expect("a report")).collect();
    let mut widths: Vec<u32> = reports.iter().map(|r| r.width).collect();
    widths.sort_unstable();
    assert_eq!(widths, WIDTHS);
    for report in reports {
        let nothing = Vec::<String>::new();
        assert_eq!(report.start, ["home"], "what is seen first at {} px", report.width);
        assert_eq!(report.lost, nothing, "clicking at {} px", report.width);
        assert_eq!(report.wide, nothing, "sideways scrolling at {} px", report.width);
        assert_eq!(report.axe, nothing, "axe at {} px", report.width);
        assert_eq!(report.requests, nothing, "requests at {} px", report.width);
        assert!(report.visited.len() > 12 && report.runs > report.visited.len(), "{report:?}");
    }
}

/// Every page of a project in one language, by name.
fn pages(tag: &str, house: House) -> Vec<Page> {
    let html = house.files.into_iter().filter(|(name, _)| name.ends_with(".html") && name != "mockup.html");
    html.map(|(name, bytes)| Page::new(format!("{tag} {name}"), String::from_utf8(bytes).expect("text"))).collect()
}

/// What a client writes who has the strangest name, and much to say.
fn odd() -> NewLead {
    NewLead {
        name: "שרה \u{202e}=1+1 👩‍🍳 O'Hara".into(),
        email: "client@example.com".into(),
        company: Some(format!("<b>Café</b> \"Zoë\" & {}", "Donaudampfschifffahrtsgesellschaft".repeat(6))),
        message:
            "We need a website with online booking. We need a shop for the مخبز مرحبا articles. A blog would be nice \
                  to have. We do not need an app. Budget €12k, live by 01.03.2027."
                .into(),
        ..NewLead::default()
    }
}

#[test]
fn the_browser_says_what_is_wrong_with_a_page() {
    let Some(browser) = Browser::find() else { return };
    let bad = "<!doctype html><html><head><title>x</title></head><body><p style=\"width:900px;color:#bbb\">faint</p>\
               <img src=\"http://192.0.2.1/p.png\"></body></html>";
    let wrong = browser.look(&[Page::new("bad", bad)]).join("\n");
    for what in ["image-alt", "color-contrast", "html-has-lang", "pixels wide", "asks for http://192.0.2.1/p.png"] {
        assert!(wrong.contains(what), "{what} in {wrong}");
    }
}

#[test]
fn every_document_passes_axe_at_three_widths_and_asks_for_nothing() {
    let Some(browser) = Browser::find() else { return };
    let mut all = Vec::new();
    let german = NewLead {
        name: "Jürgen Öhler".into(),
        email: "client@example.com".into(),
        company: Some("Bäckerei Öhler".into()),
        message: "Guten Tag, wir sind eine Bäckerei in Ulm und brauchen eine neue Website. Wir brauchen:\n- ein Kontaktformular\n\
                  - Öffnungszeiten mit Anfahrt\n- eine Galerie unserer Torten\nEin Blog wäre schön. Wir brauchen keinen Onlineshop."
            .into(),
        ..NewLead::default()
    };
    for (tag, new, answers, yes) in [
        (
            "en",
            odd(),
            "Our customers book courses. Texts and photos are there. English. I decide. No other systems.",
            "We accept.",
        ),
        (
            "de",
            german,
            "Familien aus der Umgebung. Texte liefern wir. Keine anderen Systeme. Nur Deutsch. Ich entscheide. \
                        Budget 12.000 Euro, bis Ende März.",
            "Einverstanden.",
        ),
    ] {
        let mut house = House::ingest(new);
        house.play_to_the_end(answers, yes);
        all.extend(pages(tag, house));
    }
    for kind in ["scope", "features", "proposal", "contract", "welcome", "plan", "milestone-M-1", "closing"] {
        assert!(all.iter().any(|page| page.name == format!("en {kind}.html")), "{kind} is among the pages");
    }
    assert_eq!(browser.look(&all), Vec::<String>::new());
}

#[tokio::test]
async fn stills_are_pictures_of_the_size_asked_for() {
    if Browser::find().is_none() {
        return;
    }
    let browser = max_adapters::browser::Browser::find().expect("the browser");
    let shots: Vec<Shot> = [("home", 1280, 860), ("s-1", 768, 1024), ("s-2", 360, 780)]
        .map(|(screen, width, height)| Shot { screen: screen.into(), width, height })
        .into();
    let stills = browser.stills(mockup().as_bytes(), &shots).await.expect("pictures");
    for (still, shot) in stills.iter().zip(&shots) {
        assert_eq!(still.name, format!("stills/{}-{}.png", shot.screen, shot.width));
        assert_eq!(still.bytes[..4], *b"\x89PNG");
        let size: Vec<u32> =
            [16, 20].map(|at| u32::from_be_bytes(still.bytes[at..at + 4].try_into().expect("four"))).into();
        assert_eq!(size, [shot.width, shot.height]);
        assert!(still.bytes.len() > 8_000, "{} shows something", still.name);
    }
    if let Some(keep) = std::env::var_os("MAX_TEST_KEEP").map(PathBuf::from) {
        for still in &stills {
            std::fs::write(keep.join(still.name.replace('/', "-")), &still.bytes).expect("kept");
        }
        std::fs::write(keep.join("mockup.html"), mockup()).expect("kept");
    }
}
