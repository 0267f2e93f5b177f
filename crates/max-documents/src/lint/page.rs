//! An HTML page as the linter sees it: elements with their attributes, text and place.

use std::collections::BTreeMap;

use html5gum::emitters::default::{DefaultEmitter, Token};
use html5gum::{HtmlString, Tokenizer};

/// A page.
pub(super) struct Page {
    /// Its elements, in document order; the first is a root without a name.
    pub elements: Vec<Element>,
}

/// An element.
#[derive(Default)]
pub(super) struct Element {
    /// Its name in lower case.
    pub name: String,
    /// Its attributes.
    pub attributes: BTreeMap<String, String>,
    /// Where it stands in, an index; the root stands in itself.
    pub parent: usize,
    /// The text that stands in it directly.
    pub text: String,
}

/// Elements that have no end tag.
const VOID: [&str; 14] =
    ["area", "base", "br", "col", "embed", "frame", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];

impl Page {
    /// Reads a page as browsers do; whatever is wrong with it, there is a page.
    pub fn parse(html: &str) -> Page {
        let mut emitter = DefaultEmitter::default();
        emitter.naively_switch_states(true);
        let mut elements = vec![Element::default()];
        let mut open = vec![0_usize];
        for token in Tokenizer::new_with_emitter(html, emitter) {
            let Ok(token) = token;
            match token {
                Token::StartTag(tag) => {
                    let name = words(&tag.name);
                    let attributes =
                        tag.attributes.into_iter().map(|(name, value)| (words(&name), words(&value.value))).collect();
                    let childless = tag.self_closing || VOID.contains(&name.as_str());
                    let parent = open.last().copied().unwrap_or(0);
                    elements.push(Element { name, attributes, parent, text: String::new() });
                    if !childless {
                        open.push(elements.len() - 1);
                    }
                }
                Token::EndTag(tag) => {
                    let name = words(&tag.name);
                    if let Some(at) = open.iter().rposition(|e| elements[*e].name == name) {
                        open.truncate(at.max(1));
                    }
                }
                Token::String(text) => {
                    let at = open.last().copied().unwrap_or(0);
                    elements[at].text.push_str(&words(&text.value));
                }
                Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
            }
        }
        Page { elements }
    }

    /// Every element but the root, with its index.
    pub fn all(&self) -> impl Iterator<Item = (usize, &Element)> {
        self.elements.iter().enumerate().skip(1)
    }

    /// The elements with this name.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (usize, &'a Element)> {
        self.all().filter(move |(_, e)| e.name == name)
    }

    /// The element and what it stands in, outwards.
    pub fn outwards(&self, at: usize) -> impl Iterator<Item = (usize, &Element)> {
        let next = |at: &usize| (*at != 0).then(|| self.elements[*at].parent);
        std::iter::successors(Some(at), next).filter(|at| *at != 0).map(|at| (at, &self.elements[at]))
    }

    /// All text in an element that a reader sees.
    pub fn text(&self, of: usize) -> String {
        let mut text = String::new();
        // In document order what stands in an element follows it, and has no parent before it.
        let inside = self.elements.iter().skip(of + 1).take_while(|e| e.parent >= of);
        for element in std::iter::once(&self.elements[of]).chain(inside) {
            if !matches!(element.name.as_str(), "style" | "script" | "template") {
                text.push_str(&element.text);
                text.push(' ');
            }
        }
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Everything that is written in CSS: style sheets and style attributes.
    pub fn css(&self) -> String {
        let mut css = String::new();
        for (_, element) in self.all() {
            if element.name == "style" {
                css.push_str(&element.text);
                css.push('\n');
            }
            if let Some(style) = element.get("style") {
                css.push_str(style);
                css.push('\n');
            }
        }
        unescape(&css)
    }
}

impl Element {
    /// An attribute's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// True when it has the attribute.
    pub fn has(&self, name: &str) -> bool {
        self.attributes.contains_key(name)
    }

    /// How findings name it: `a#s-1`, `input`.
    pub fn place(&self) -> String {
        match self.get("id") {
            Some(id) => format!("{}#{id}", self.name),
            None => self.name.clone(),
        }
    }
}

fn words(bytes: &HtmlString) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// CSS without its escapes (`\75rl(` is `url(`) and in lower case, so that nothing hides.
fn unescape(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut chars = css.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.extend(c.to_lowercase());
            continue;
        }
        let mut code = String::new();
        while let Some(digit) = chars.peek().filter(|d| d.is_ascii_hexdigit() && code.len() < 6) {
            code.push(*digit);
            chars.next();
        }
        if code.is_empty() {
            continue;
        }
        chars.next_if(|c| c.is_ascii_whitespace());
        out.extend(
            u32::from_str_radix(&code, 16).ok().and_then(char::from_u32).into_iter().flat_map(char::to_lowercase),
        );
    }
    out
}
