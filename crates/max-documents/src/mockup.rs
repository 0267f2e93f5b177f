//! The clickable mockup: one HTML file that works offline, with a screen for each group of requirements.

use max_core::id::Digest;
use max_core::stages::orchestra::Mockup;
use max_core::stages::scoping::Scope;
use serde::Serialize;

use crate::engine::{self, RenderError};
use crate::scope::Line;
use crate::{Lang, Letterhead};

#[derive(Serialize)]
struct View<'a> {
    title: &'a str,
    promise: String,
    /// The screen that the overview calls to: the first on which a visitor does something.
    call: usize,
    brand: &'a str,
    accent: &'static str,
    tint: &'static str,
    screens: Vec<ScreenView<'a>>,
    omitted: Vec<OmittedView<'a>>,
    changes: &'a [String],
}

#[derive(Serialize)]
struct ScreenView<'a> {
    id: &'a str,
    title: &'a str,
    kind: &'a str,
    requirements: Vec<Line<'a>>,
    next: &'a str,
    next_title: &'a str,
}

#[derive(Serialize)]
struct OmittedView<'a> {
    id: &'a str,
    text: &'a str,
    reason: &'a str,
}

/// `mockup.html` and `features.md`. `kinds` names the face of each screen, in the screens' order: `booking`,
/// `shop`, `gallery`, `form`, `account`, `map`, `news`, `dashboard` or `page`. `changes` is what a person asked for.
pub fn render(
    mockup: &Mockup,
    kinds: &[&str],
    changes: &[String],
    scope: &Scope,
    head: &Letterhead,
    lang: Lang,
) -> Result<(String, String), RenderError> {
    let (accent, tint) = palette(&head.client);
    let following = mockup.screens.iter().cycle().skip(1);
    let screens = mockup.screens.iter().zip(following).enumerate().map(|(i, (screen, next))| ScreenView {
        id: &screen.id,
        title: &screen.title,
        kind: kinds.get(i).copied().unwrap_or("page"),
        requirements: screen
            .requirements
            .iter()
            .filter_map(|id| scope.requirement(id))
            .map(|r| Line::of(r, lang))
            .collect(),
        next: &next.id,
        next_title: &next.title,
    });
    let omitted = mockup.omitted.iter().filter_map(|o| {
        let requirement = scope.requirement(&o.requirement)?;
        Some(OmittedView { id: &requirement.id, text: &requirement.text, reason: &o.reason })
    });
    let musts = scope.musts().filter(|m| !mockup.omitted.iter().any(|o| o.requirement == m.id));
    let shown: Vec<&str> = musts.map(|m| m.text.as_str()).take(4).collect();
    let view = View {
        title: &scope.title,
        promise: shown.join(" · "),
        call: kinds.iter().position(|k| *k != "page").unwrap_or(0),
        brand: &head.client,
        accent,
        tint,
        screens: screens.collect(),
        omitted: omitted.collect(),
        changes,
    };
    Ok((engine::one("mockup.html", &view, head, lang)?, engine::one("features.md", &view, head, lang)?))
}

/// An accent colour that keeps a contrast of 4.5:1 on white, and its tint; the same client gets the same one.
fn palette(client: &str) -> (&'static str, &'static str) {
    const PALETTES: [(&str, &str); 6] = [
        ("#0f5c4d", "#e6f1ee"),
        ("#234a8f", "#e8eef8"),
        ("#8a3324", "#f8ebe8"),
        ("#5b3b8c", "#efeaf7"),
        ("#7a4b00", "#f7efe0"),
        ("#1f5673", "#e5f0f5"),
    ];
    let byte = Digest::of(client.as_bytes()).0[0];
    PALETTES[usize::from(byte) % PALETTES.len()]
}
