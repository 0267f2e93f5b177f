//! The template engine: embedded templates, labels by language, escaping by file ending.

use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, ErrorKind, Output, State, UndefinedBehavior, context};
use serde::Serialize;

use crate::locale::Lang;
use crate::{Letterhead, Rendered, escape};

/// Why a document could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the document `{document}` cannot be written: {cause}")]
pub struct RenderError {
    /// The template's name.
    pub document: String,
    /// What the engine says.
    pub cause: String,
}

/// Renders `name.md` and `name.html` over the same view.
pub(crate) fn both<V: Serialize>(name: &str, view: &V, head: &Letterhead, lang: Lang) -> Result<Rendered, RenderError> {
    Ok(Rendered {
        markdown: one(&format!("{name}.md"), view, head, lang)?,
        html: one(&format!("{name}.html"), view, head, lang)?,
    })
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

/// Renders a text that is not ours (a clause) over `slots`; `html` escapes for HTML, else for Markdown.
pub(crate) fn foreign<V: Serialize>(name: &str, source: &str, slots: &V, html: bool) -> Result<String, RenderError> {
    let ending = if html { "html" } else { "md" };
    let file = format!("{name}.{ending}");
    ENGINE
        .render_named_str(&file, source, Value::from(Serde(slots)))
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

static TEMPLATES: [(&str, &str); 17] = embed!(
    "base.html",
    "scope.md",
    "scope.html",
    "proposal.md",
    "proposal.html",
    "contract.md",
    "contract.html",
    "mockup.html",
    "features.md",
    "welcome.md",
    "brief.md",
    "workspace.md",
    "folder.md",
    "plan.md",
    "check-in.md",
    "milestone.md",
    "closing.md",
);

/// The labels, by language, in the order of [`Lang::ALL`].
static LABELS: LazyLock<[Value; 2]> = LazyLock::new(|| {
    [include_str!("labels/en.json"), include_str!("labels/de.json")].map(|json| {
        let labels: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
        Value::from(Serde(&labels))
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
    fn every_template_parses_and_both_languages_have_the_same_labels() {
        for (name, source) in TEMPLATES {
            assert!(ENGINE.template_from_str(source).is_ok(), "{name}");
        }
        let keys = |value: &Value| -> Vec<String> {
            let mut keys: Vec<String> = value.try_iter().expect("an object").map(|k| k.to_string()).collect();
            keys.sort();
            keys
        };
        assert_eq!(keys(&LABELS[0]), keys(&LABELS[1]));
    }
}
