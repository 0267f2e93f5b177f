//! What only the mockup's file can tell: whether it is complete, closed in itself and usable.

use std::collections::{BTreeMap, BTreeSet};

use max_core::stages::orchestra::Mockup;
use max_core::stages::scoping::Scope;
use max_core::stages::{Finding, placeholder};

use super::page::{Element, Page};
use crate::mockup::palette::{ENOUGH, Rgb};
use crate::mockup::watermarks;

/// What is found in the file.
pub fn check(html: &str, mockup: &Mockup, scope: &Scope) -> Vec<Finding> {
    let page = Page::parse(html);
    let mut findings = Vec::new();
    shows(&page, mockup, scope, &mut findings);
    links(&page, mockup, &mut findings);
    words(&page, mockup, &mut findings);
    requests(&page, &mut findings);
    fits(&page, &mut findings);
    accessible(&page, mockup, &mut findings);
    states(&page, &mut findings);
    watermark(&page, &mut findings);
    inert(&page, &mut findings);
    findings
}

/// Every Must is marked where it is shown (MK-1).
fn shows(page: &Page, mockup: &Mockup, scope: &Scope, findings: &mut Vec<Finding>) {
    let marked: BTreeSet<&str> =
        page.all().filter_map(|(_, e)| e.get("data-req")).flat_map(str::split_whitespace).collect();
    for must in scope.musts().filter(|m| !mockup.omitted.iter().any(|o| o.requirement == m.id)) {
        if !marked.contains(must.id.as_str()) {
            findings.push(
                Finding::new("MK-1", format!("nothing in the file is marked as {}", must.id))
                    .at(must.id.clone())
                    .mend(format!("put data-req=\"{}\" on the element that shows it", must.id)),
            );
        }
    }
}

/// Links lead somewhere, and every screen can be reached and left (MK-2).
fn links(page: &Page, mockup: &Mockup, findings: &mut Vec<Finding>) {
    let ids: BTreeMap<&str, usize> = page.all().filter_map(|(at, e)| Some((e.get("id")?, at))).collect();
    for (at, link) in page.named("a") {
        let target = link.get("href").unwrap_or_default();
        let lost = match target.strip_prefix('#') {
            Some(id) => id.is_empty() || !ids.contains_key(id),
            None => target.is_empty(),
        };
        if lost {
            let name: String = page.text(at).chars().take(60).collect();
            findings.push(
                Finding::new("MK-2", format!("the link `{name}` leads to `{target}`, which is nowhere"))
                    .at(link.place())
                    .mend("point it at the id of a screen"),
            );
        }
    }
    for (_, button) in page.named("button").filter(|(_, b)| !b.has("popovertarget")) {
        findings.push(
            Finding::new("MK-2", "a button without a script does nothing").at(button.place()).mend("make it a link"),
        );
    }
    reach(page, mockup, &ids, findings);
}

/// Walks from the first screen along the links.
fn reach(page: &Page, mockup: &Mockup, ids: &BTreeMap<&str, usize>, findings: &mut Vec<Finding>) {
    for screen in mockup.screens.iter().filter(|s| !ids.contains_key(s.id.as_str())) {
        findings.push(Finding::new("MK-2", format!("the screen `{}` is not in the file", screen.id)).at(&screen.id));
    }
    let listed: BTreeSet<usize> = mockup.screens.iter().filter_map(|s| ids.get(s.id.as_str()).copied()).collect();
    let screens: Vec<usize> =
        page.all().filter(|(at, e)| e.has("data-screen") || listed.contains(at)).map(|(at, _)| at).collect();
    let screen_of = |at: usize| page.outwards(at).map(|(at, _)| at).find(|at| screens.contains(at));
    let mut from: BTreeMap<Option<usize>, BTreeSet<usize>> = BTreeMap::new();
    for (at, link) in page.named("a") {
        let target = link.get("href").and_then(|h| h.strip_prefix('#')).and_then(|id| ids.get(id));
        if let Some(to) = target.and_then(|at| screen_of(*at)) {
            from.entry(screen_of(at)).or_default().insert(to);
        }
    }
    let start = ids.get("home").copied().filter(|home| screens.contains(home)).or(screens.first().copied());
    let mut reached: BTreeSet<usize> = start.into_iter().collect();
    let mut next: Vec<usize> = reached.iter().copied().collect();
    next.extend(from.get(&None).into_iter().flatten().filter(|to| reached.insert(**to)));
    while let Some(screen) = next.pop() {
        next.extend(from.get(&Some(screen)).into_iter().flatten().filter(|to| reached.insert(**to)));
    }
    for screen in &screens {
        let element = &page.elements[*screen];
        if !reached.contains(screen) {
            findings.push(Finding::new("MK-2", "no link leads to this screen").at(element.place()));
        }
        let onward = from.get(&Some(*screen)).is_some_and(|to| to.iter().any(|to| to != screen));
        if !onward && screens.len() > 1 {
            findings.push(
                Finding::new("MK-2", "this screen is a dead end").at(element.place()).mend("give it a link onward"),
            );
        }
    }
}

/// The client's name and his terms are there, and no filler (MK-3).
fn words(page: &Page, mockup: &Mockup, findings: &mut Vec<Finding>) {
    let text = page.text(0);
    let lower = text.to_lowercase();
    for wanted in std::iter::once(&mockup.client).chain(&mockup.terms).filter(|w| !w.trim().is_empty()) {
        let wanted_words = wanted.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        if !lower.contains(&wanted_words) {
            findings.push(Finding::new("MK-3", format!("`{wanted}` does not stand in the file")));
        }
    }
    if let Some(word) = placeholder(&text) {
        findings.push(
            Finding::new("MK-3", format!("the file holds the filler `{word}`")).mend("use the client's own words"),
        );
    }
}

/// Nothing is asked of any network (MK-4).
fn requests(page: &Page, findings: &mut Vec<Finding>) {
    const LOADING: [&str; 12] = [
        "src",
        "srcset",
        "imagesrcset",
        "poster",
        "data",
        "action",
        "formaction",
        "background",
        "ping",
        "manifest",
        "xlink:href",
        "href",
    ];
    for (_, element) in page.all() {
        for name in LOADING {
            let Some(value) = element.get(name).map(|v| v.trim().to_lowercase()) else { continue };
            let inside = value.is_empty() || value.starts_with('#') || value.starts_with("data:");
            let by_hand = element.name == "a" && (value.starts_with("mailto:") || value.starts_with("tel:"));
            if !inside && !by_hand {
                let shown: String = value.chars().take(80).collect();
                findings.push(outside(element, &format!("`{name}` reaches for `{shown}`")));
            }
        }
    }
    let css = page.css();
    if css.contains("@import") || css.contains("image-set(") || css.contains("src(") {
        findings.push(Finding::new("MK-4", "the style sheet imports something").at("style"));
    }
    for (at, _) in css.match_indices("url(") {
        let target = css[at + 4..].trim_start_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'');
        if !target.starts_with("data:") && !target.starts_with('#') {
            let shown: String = target.chars().take(60).take_while(|c| *c != ')').collect();
            findings.push(Finding::new("MK-4", format!("the style sheet reaches for `{shown}`")).at("style"));
        }
    }
}

fn outside(element: &Element, what: &str) -> Finding {
    Finding::new("MK-4", what).at(element.place()).mend("put it into the file itself, as data: or drawn in SVG")
}

/// The page takes the width it is given (MK-5).
fn fits(page: &Page, findings: &mut Vec<Finding>) {
    let viewport = page.named("meta").find(|(_, m)| m.get("name") == Some("viewport"));
    let content: String = viewport.and_then(|(_, m)| m.get("content")).unwrap_or_default().to_lowercase();
    if !content.contains("width=device-width") {
        findings.push(
            Finding::new("MK-5", "the page does not take the width of a phone")
                .at("meta[name=viewport]")
                .mend("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"),
        );
    }
    let css = page.css();
    for property in ["width:", "min-width:"] {
        for (at, _) in css.match_indices(property) {
            // `max-width:` is another property, and `(min-width:` is a question.
            if css[..at].ends_with(|c: char| c == '-' || c == '(' || c.is_alphanumeric()) {
                continue;
            }
            let value = css[at + property.len()..].trim_start();
            let digits: String = value.chars().take_while(char::is_ascii_digit).collect();
            let pixels = value[digits.len()..].starts_with("px").then(|| digits.parse::<u32>().ok()).flatten();
            if pixels.is_some_and(|p| p > NARROWEST) {
                findings.push(
                    Finding::new("MK-5", format!("`{property}{digits}px` is wider than a phone of {NARROWEST} px"))
                        .at("style")
                        .mend("use max-width, or a share of what there is"),
                );
            }
        }
    }
}

/// The narrowest screen a mockup must fit, in CSS pixels.
const NARROWEST: u32 = 360;

/// What can be told without eyes (MK-6); the rest is measured in a browser.
fn accessible(page: &Page, mockup: &Mockup, findings: &mut Vec<Finding>) {
    let mut fault = |place: String, what: &str| findings.push(Finding::new("MK-6", what).at(place));
    if !page.named("html").any(|(_, e)| e.get("lang").is_some_and(|l| !l.trim().is_empty())) {
        fault("html".into(), "the page does not say its language");
    }
    if !page.named("title").any(|(_, e)| !e.text.trim().is_empty()) {
        fault("title".into(), "the page has no title");
    }
    if page.named("meta").any(|(_, m)| {
        let content = m.get("content").unwrap_or_default();
        m.get("name") == Some("viewport") && (content.contains("user-scalable") || content.contains("maximum-scale"))
    }) {
        fault("meta[name=viewport]".into(), "the page forbids zooming");
    }
    let mut ids = BTreeSet::new();
    let labelled: BTreeSet<&str> = page.named("label").filter_map(|(_, e)| e.get("for")).collect();
    for (at, element) in page.all() {
        if element.get("id").is_some_and(|id| !ids.insert(id)) {
            fault(element.place(), "this id stands twice");
        }
        let aria = element.get("aria-label").is_some_and(|l| !l.trim().is_empty()) || element.has("aria-labelledby");
        let hidden = page.outwards(at).any(|(_, e)| e.get("aria-hidden") == Some("true"));
        match element.name.as_str() {
            "img" if !element.has("alt") && !hidden => fault(element.place(), "a picture has no alternative text"),
            "svg" if !(hidden || aria && element.get("role") == Some("img")) => {
                fault(element.place(), "a drawing is neither named (role=img, aria-label) nor hidden (aria-hidden)");
            }
            "input" | "textarea" | "select" if element.get("type") != Some("hidden") => {
                let by_id = element.get("id").is_some_and(|id| labelled.contains(id));
                if !aria && !by_id && !page.outwards(at).any(|(_, e)| e.name == "label") {
                    fault(element.place(), "a field has no label");
                }
            }
            "a" if !aria && page.text(at).is_empty() => fault(element.place(), "a link has no name"),
            _ => {}
        }
    }
    for (name, hex) in
        [("the accent", Some(mockup.accent.as_str())), ("--accent", custom(&page.css(), "--accent:").as_deref())]
    {
        let Some(colour) = hex.and_then(Rgb::parse) else { continue };
        if colour.contrast(Rgb([255; 3])) < ENOUGH {
            fault("style".into(), &format!("{name} {} is too faint on white, below {ENOUGH}:1", colour.hex()));
        }
    }
}

fn custom(css: &str, name: &str) -> Option<String> {
    let at = css.find(name)? + name.len();
    Some(css[at..].trim_start().chars().take(7).collect())
}

/// Each list and form shows what it looks like filled, empty, busy and failed (MK-7).
fn states(page: &Page, findings: &mut Vec<Finding>) {
    const STATES: [&str; 4] = ["filled", "empty", "busy", "error"];
    let mut shown: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    for (at, element) in page.all() {
        if element.has("data-piece") {
            shown.entry(at).or_default();
        }
        if let (Some(state), Some(piece)) = (element.get("data-state"), piece_of(page, at)) {
            shown.entry(piece).or_default().insert(state);
        }
    }
    for (at, states) in &shown {
        let missing: Vec<&str> = STATES.into_iter().filter(|s| !states.contains(s)).collect();
        if !missing.is_empty() {
            findings.push(
                Finding::new("MK-7", format!("this piece is not shown {}", missing.join(", ")))
                    .at(page.outwards(*at).find_map(|(_, e)| e.get("id")).unwrap_or("data-piece"))
                    .mend("add an element with data-state for each"),
            );
        }
    }
    for (at, element) in page.all() {
        let typed = matches!(element.name.as_str(), "textarea" | "select")
            || (element.name == "input"
                && !matches!(element.get("type"), Some("radio" | "checkbox" | "hidden" | "range")));
        let listed = element.name == "tbody" || element.get("data-list").is_some();
        if (typed || listed || element.name == "form") && piece_of(page, at).is_none() {
            findings.push(
                Finding::new("MK-7", "a list or form has no other states")
                    .at(element.place())
                    .mend("put it into an element with data-piece and give it its states"),
            );
        }
    }
}

fn piece_of(page: &Page, at: usize) -> Option<usize> {
    page.outwards(at).find(|(_, e)| e.has("data-piece")).map(|(at, _)| at)
}

/// The watermark stands where it is seen (MK-8).
fn watermark(page: &Page, findings: &mut Vec<Finding>) {
    let seen = page.all().filter(|(_, e)| e.has("data-watermark")).any(|(at, _)| {
        let hidden = page.outwards(at).any(|(_, e)| {
            let style: String = e.get("style").unwrap_or_default().split_whitespace().collect();
            e.has("hidden") || style.contains("display:none") || style.contains("visibility:hidden")
        });
        let text = page.text(at);
        !hidden && watermarks().any(|mark| text.contains(mark))
    });
    if !seen {
        findings.push(
            Finding::new("MK-8", "nothing says that this is an illustration and not the product")
                .mend("put the watermark into an element with data-watermark, in view on every screen"),
        );
    }
}

/// Nothing runs and nothing leaves the frame (MK-11).
fn inert(page: &Page, findings: &mut Vec<Finding>) {
    const ACTIVE: [&str; 8] = ["script", "iframe", "frame", "object", "embed", "applet", "base", "portal"];
    for (_, element) in page.all() {
        if ACTIVE.contains(&element.name.as_str()) {
            findings.push(
                Finding::new("MK-11", format!("a <{}> has no place in a mockup", element.name)).at(element.place()),
            );
        }
        if element.name == "meta" && element.get("http-equiv").is_some_and(|h| h.eq_ignore_ascii_case("refresh")) {
            findings.push(Finding::new("MK-11", "the page sends its reader elsewhere").at(element.place()));
        }
        for (name, value) in &element.attributes {
            let script = value.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect::<String>();
            let leaves = name == "target" && !value.eq_ignore_ascii_case("_self");
            if name.starts_with("on") || script.to_lowercase().starts_with("javascript:") || name == "srcdoc" || leaves
            {
                findings.push(
                    Finding::new("MK-11", format!("the attribute `{name}` runs something or leaves the frame"))
                        .at(element.place()),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lang;
    use crate::mockup::render;
    use crate::mockup::tests::example;

    /// The rules that find something when `from` is replaced by `to` in a mockup that is well.
    fn rules(from: &str, to: &str) -> BTreeSet<String> {
        let (mockup, scope, story, head) = example();
        let html = render(&mockup, &scope, &story, &head, Lang::En).expect("rendered");
        assert!(html.contains(from), "the page has no `{from}`");
        check(&html.replace(from, to), &mockup, &scope).into_iter().map(|f| f.rule).collect()
    }

    #[track_caller]
    fn finds(rule: &str, from: &str, to: &str) {
        let found = rules(from, to);
        assert!(found.contains(rule), "{from} -> {to}: {found:?}");
    }

    #[test]
    fn mk_1_a_must_without_its_mark_is_found() {
        finds("MK-1", "data-req=\"R-003\"", "data-was=\"R-003\"");
    }

    #[test]
    fn mk_2_a_link_to_nowhere_and_an_unreachable_screen_are_found() {
        finds("MK-2", "href=\"#s-1\"", "href=\"#nowhere\"");
        finds("MK-2", "href=\"#s-5-reset\"", "href=\"#s-5\"");
        finds("MK-2", "href=\"#s-1\"", "href=\"#\"");
        finds("MK-2", "id=\"s-2\"", "id=\"s-22\"");
        finds("MK-2", "</main>", "<button>Go</button></main>");
        finds("MK-2", "</main>", "<section class=\"screen\" data-screen id=\"lost\"></section></main>");
    }

    #[test]
    fn mk_3_a_file_without_the_clients_words_is_found() {
        finds("MK-3", "Pine &amp; Yoga", "Acme");
        finds("MK-3", "Hatha classes", "Classes");
        finds("MK-3", "</main>", "<p>Lorem ipsum dolor</p></main>");
    }

    #[test]
    fn mk_4_every_way_to_the_network_is_found() {
        for way in [
            "<img alt='' src='https://example.org/a.png'>",
            "<img alt='' srcset='//example.org/a.png 2x'>",
            "<link rel=stylesheet href=site.css>",
            "<video poster='a.png'></video>",
            "<a href='https://example.org'>x</a>",
            "<svg aria-hidden=true><use xlink:href='http://example.org/#a'/></svg>",
            "<p style='background:url( \"//example.org/a.png\")'>x</p>",
            "<p style='background:\\75rl(//example.org/a.png)'>x</p>",
            "<style>@import 'a.css';</style>",
        ] {
            finds("MK-4", "</main>", &format!("{way}</main>"));
        }
        let quiet = rules("</main>", "<img alt='' src='data:image/png;base64,AA=='><a href='tel:+490'>x</a></main>");
        assert_eq!(quiet, BTreeSet::new());
    }

    #[test]
    fn mk_5_widths_that_no_phone_has_are_found() {
        finds("MK-5", "width=device-width", "width=1280");
        finds("MK-5", "</style>", ".wide{ width: 900px }</style>");
        finds("MK-5", "</style>", ".wide{min-width:600px}</style>");
        assert_eq!(rules("</style>", "@media (min-width:900px){.x{max-width:900px}}</style>"), BTreeSet::new());
    }

    #[test]
    fn mk_6_missing_names_and_faint_colours_are_found() {
        finds("MK-6", "<html lang=\"en\">", "<html>");
        finds("MK-6", "</main>", "<img src='data:,'></main>");
        finds("MK-6", "</main>", "<input id=q></main>");
        finds("MK-6", "</main>", "<p id=home>twice</p></main>");
        finds("MK-6", "</main>", "<a href='#home'></a></main>");
        finds("MK-6", ":root{--accent:#", ":root{--accent:#ffcc00;--x:#");
        finds("MK-6", "initial-scale=1", "maximum-scale=1");
    }

    #[test]
    fn mk_7_a_list_without_its_states_is_found() {
        finds("MK-7", "data-state=\"busy\"", "data-was=\"busy\"");
        finds("MK-7", "</main>", "<label>x<input type=text></label></main>");
        finds("MK-7", "</main>", "<table><tbody><tr><td>1</td></tr></tbody></table></main>");
    }

    #[test]
    fn mk_8_a_mockup_without_its_watermark_is_found() {
        finds("MK-8", "data-watermark", "data-was");
        finds("MK-8", "data-watermark", "data-watermark hidden");
        finds("MK-8", "Illustration, not the product", "The product");
    }

    #[test]
    fn mk_11_scripts_and_embedded_pages_are_found() {
        for active in [
            "<script>1</script>",
            "<iframe src='data:,'></iframe>",
            "<p onclick='x()'>x</p>",
            "<a href=' java\nscript:x()'>x</a>",
            "<a href='#home' target=_top>x</a>",
            "<meta http-equiv=refresh content='0;url=#home'>",
        ] {
            finds("MK-11", "</main>", &format!("{active}</main>"));
        }
    }

    #[test]
    fn a_page_that_is_no_page_is_looked_at_all_the_same() {
        let (mockup, scope, ..) = example();
        for html in ["", "<", "</p></p>", "<a href=#x><b></a></b><table><tr>", "\u{0}\u{202e}<div data-piece>"] {
            assert!(!check(html, &mockup, &scope).is_empty());
        }
    }
}
