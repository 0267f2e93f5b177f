//! The mockup of an ordinary lead in a real browser: clicked through at three widths, measured, and looked at by axe.
//!
//! Needs a Chromium and axe-core's `axe.min.js`, which `./test` puts into its cache and names in `MAX_TEST_AXE`.

#[expect(dead_code, reason = "the house of the playbook's tests has more words than are needed here")]
#[path = "playbook/house.rs"]
mod house;

use std::path::{Path, PathBuf};
use std::process::Command;

use house::House;
use max_adapters::browser::{Browser, Shot};
use max_core::lead::{ApprovalKind, NewLead};
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

/// A part that is not there is said, and is a failure where everything must be.
fn missing(what: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{what} is missing");
    eprintln!("left out: {what} is missing");
}

fn chromium() -> Option<PathBuf> {
    ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
        .map(PathBuf::from)
        .into_iter()
        .find(|p| p.is_file())
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

/// The page with the test's scripts in it, and a page around it that shows it at three widths and keeps the reports.
fn prepare(folder: &Path, html: &str, axe: &Path) {
    let own = "<meta http-equiv=\"Content-Security-Policy\"";
    let at = html.find(own).expect("the page's own policy");
    let end = at + html[at..].find('>').expect("its end") + 1;
    let scripts = "<script src=\"axe.min.js\"></script><script src=\"look.js\"></script></body>";
    let page = format!("{}{}", &html[..at], &html[end..]).replace("</body>", scripts);
    std::fs::write(folder.join("page.html"), page).expect("a page");
    std::fs::write(folder.join("look.js"), include_str!("browser/look.js")).expect("a script");
    std::fs::copy(axe, folder.join("axe.min.js")).expect("axe");
    let frames: String = [360, 768, 1280]
        .map(|w| format!("<iframe src=\"page.html\" style=\"width:{w}px;height:900px;border:0\"></iframe>"))
        .concat();
    let around = format!(
        "<!doctype html><body><script>const all=[];onmessage=(e)=>{{all.push(e.data);\
         document.getElementById('report').textContent=JSON.stringify(all)}}</script>{frames}<pre id=\"report\"></pre>"
    );
    std::fs::write(folder.join("around.html"), around).expect("a page");
}

fn reports(chromium: &Path, folder: &Path) -> Vec<Report> {
    let place = folder.display();
    let output = Command::new(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"])
        .args(["--host-resolver-rules=MAP * ~NOTFOUND", "--force-prefers-reduced-motion", "--hide-scrollbars"])
        .args(["--virtual-time-budget=900000", "--window-size=1400,1000", "--dump-dom"])
        .arg(format!("--user-data-dir={place}/profile"))
        .arg(format!("file://{place}/around.html"))
        .env("HOME", folder)
        .output()
        .expect("the browser runs");
    let dom = String::from_utf8_lossy(&output.stdout);
    let json = dom.split_once("<pre id=\"report\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    let json = json.map(|(json, _)| json.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"));
    let json = json.unwrap_or_else(|| panic!("no report: {}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

#[test]
fn a_mockup_passes_axe_at_three_widths_and_can_be_clicked_through() {
    let Some(chromium) = chromium() else { return missing("a Chromium") };
    let Some(axe) = std::env::var_os("MAX_TEST_AXE").map(PathBuf::from).filter(|p| p.is_file()) else {
        return missing("axe-core (MAX_TEST_AXE)");
    };
    let folder = tempfile::tempdir().expect("a folder");
    prepare(folder.path(), &mockup(), &axe);
    let reports = reports(&chromium, folder.path());
    let mut widths: Vec<u32> = reports.iter().map(|r| r.width).collect();
    widths.sort_unstable();
    assert_eq!(widths, [360, 768, 1280]);
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

#[tokio::test]
async fn stills_are_pictures_of_the_size_asked_for() {
    let Some(browser) = Browser::find() else { return missing("a Chromium") };
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
