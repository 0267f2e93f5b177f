//! The template engine: embedded templates, labels by language, escaping by file ending.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, ErrorKind, Output, State, UndefinedBehavior, context};
use serde::Serialize;

use crate::locale::Lang;
use crate::{Letterhead, escape};

/// Why a document could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the document `{document}` cannot be written: {cause}")]
pub struct RenderError {
    /// The template's name.
    pub document: String,
    /// What the engine says.
    pub cause: String,
}

/// Renders one template over a view. `t` holds the labels, `head` the letterhead, `doc` the view.
pub(crate) fn one<V: Serialize>(
    template: &str,
    view: &V,
    head: &Letterhead,
    lang: Lang,
) -> Result<String, RenderError> {
    let context = context! {
        doc => Value::from(Serde(view)),
        head => Value::from(Serde(head)),
        date => lang.date(head.date),
        lang => lang.tag(),
        t => &LABELS[lang as usize],
    };
    let failed = |error: minijinja::Error| RenderError { document: template.into(), cause: format!("{error}") };
    ENGINE.get_template(template).and_then(|t| t.render(context)).map_err(failed)
}

/// Fills the slots of a text that is not ours (a piece of a clause). What comes of it is content, never markup: the
/// writers escape it.
pub(crate) fn plain<V: Serialize>(name: &str, source: &str, slots: &V) -> Result<String, RenderError> {
    ENGINE
        .render_named_str(&format!("{name}.txt"), source, Value::from(Serde(slots)))
        .map_err(|error| RenderError { document: name.into(), cause: format!("{error}") })
}

macro_rules! embed {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("templates/", $name)))),+]
    };
}

static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        engine.set_syntax(syntax);
    }
    engine.set_auto_escape_callback(|name| match name.rsplit('.').next() {
        Some("html") => AutoEscape::Html,
        Some("txt") => AutoEscape::None,
        _ => AutoEscape::Custom("markdown".into()),
    });
    engine.set_formatter(format_value);
    for (name, source) in TEMPLATES {
        // A template that does not parse is missing, and every test of its document says so.
        if let Err(error) = engine.add_template(name, source) {
            debug_assert!(false, "{error}");
        }
    }
    engine
});

static TEMPLATES: [(&str, &str); 3] = embed!("mockup.html", "workspace.md", "folder.md",);

/// The labels of each document: key, then language tag. A language that is missing falls back to English.
static LABEL_FILES: [&str; 7] = [
    include_str!("labels/certificate.json"),
    include_str!("labels/common.json"),
    include_str!("labels/contract.json"),
    include_str!("labels/delivery.json"),
    include_str!("labels/onboarding.json"),
    include_str!("labels/proposal.json"),
    include_str!("labels/scope.json"),
];

/// A label in the reader's language.
///
/// A key that no file has comes back as it is: tests and reviewers see it, and no client loses a document over it.
pub(crate) fn label(lang: Lang, key: &str) -> &str {
    let found = WORDS[lang as usize].get(key);
    debug_assert!(found.is_some(), "no label file has `{key}`");
    found.map_or(key, String::as_str)
}

/// A label with its `{slots}` filled.
pub(crate) fn label_with(lang: Lang, key: &str, slots: &[(&str, &str)]) -> String {
    let mut out = String::new();
    let mut rest = label(lang, key);
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (name, tail) = after.split_once('}').unwrap_or((after, ""));
        out.push_str(slots.iter().find(|(slot, _)| *slot == name).map_or("", |(_, value)| value));
        rest = tail;
    }
    out + rest
}

/// Somebody's words between the quotation marks of the reader's language.
pub(crate) fn quoted(lang: Lang, words: &str) -> String {
    format!("{}{words}{}", label(lang, "opening_quote"), label(lang, "closing_quote"))
}

/// The labels as the template engine reads them.
static LABELS: LazyLock<[Value; 4]> = LazyLock::new(|| Lang::ALL.map(|lang| Value::from(Serde(&WORDS[lang as usize]))));

/// The labels, by language, in the order of [`Lang::ALL`].
static WORDS: LazyLock<[BTreeMap<String, String>; 4]> = LazyLock::new(|| {
    Lang::ALL.map(|lang| {
        let mut labels = BTreeMap::new();
        for file in LABEL_FILES {
            let file: BTreeMap<String, BTreeMap<String, String>> = serde_json::from_str(file).unwrap_or_default();
            labels.extend(file.into_iter().filter_map(|(key, mut texts)| {
                let text = texts.remove(lang.tag()).or_else(|| texts.remove(Lang::En.tag()))?;
                Some((key, text))
            }));
        }
        labels
    })
});

fn format_value(out: &mut Output, state: &mut State, value: &Value) -> Result<(), minijinja::Error> {
    if let AutoEscape::Custom(_) = state.auto_escape() {
        if value.is_undefined() {
            return Err(ErrorKind::UndefinedError.into());
        }
        let text = match value.as_str() {
            Some(text) if !value.is_safe() => escape::markdown(text),
            _ => value.to_string(),
        };
        return out.write_str(&text).map_err(|_| ErrorKind::WriteFailure.into());
    }
    minijinja::escape_formatter(out, state, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_parses_and_every_label_has_its_languages() {
        for (name, source) in TEMPLATES {
            assert!(ENGINE.template_from_str(source).is_ok(), "{name}");
        }
        for file in LABEL_FILES {
            let labels: BTreeMap<String, BTreeMap<String, String>> = serde_json::from_str(file).expect("labels");
            for (key, texts) in labels {
                assert!(["en", "de"].iter().all(|lang| texts.contains_key(*lang)), "{key}");
            }
        }
    }
}
