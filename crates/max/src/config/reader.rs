//! Reads `max.toml` into sections, and says for everything it cannot take where it stands and how to mend it.

use std::fmt;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::keys::{Item, Keys, Named, Section, Setting};

/// Everything that is wrong with a configuration, found in one reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The problems in the order of the file.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, or nothing when the environment or the command line is wrong.
    pub file: Option<PathBuf>,
    /// The line, counted from 1.
    pub line: Option<usize>,
    /// The key with its tables, such as `policy.max_attempts`.
    pub key: String,
    /// What is wrong and how to mend it.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, "{}:{line}: ", file.display())?,
            (Some(file), None) => write!(f, "{}: ", file.display())?,
            _ => {}
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    /// One problem that stands in no line.
    pub fn of(file: Option<&Path>, key: &str, message: impl Into<String>) -> Self {
        let problem = Problem { file: file.map(Path::to_owned), line: None, key: key.into(), message: message.into() };
        Self { problems: vec![problem] }
    }
}

/// Reads `text` (of `file`, for the messages) into `section`.
pub(super) fn read(file: &Path, text: &str, section: &mut dyn Section) -> Result<(), ConfigError> {
    let file = file.to_owned();
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map(|span| line_of(text, span.start));
        let message = format!("this is not TOML: {}", error.message());
        ConfigError { problems: vec![Problem { file: Some(file.clone()), line, key: String::new(), message }] }
    })?;
    let mut reader =
        Reader { text, file, table: table.get_ref(), path: String::new(), seen: Vec::new(), problems: Vec::new() };
    reader.section(section);
    match reader.problems {
        problems if problems.is_empty() => Ok(()),
        mut problems => {
            problems.sort_by_key(|problem| problem.line);
            Err(ConfigError { problems })
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    file: PathBuf,
    table: &'t DeTable<'t>,
    path: String,
    seen: Vec<String>,
    problems: Vec<Problem>,
}

impl<'t> Reader<'t> {
    fn section(&mut self, section: &mut dyn Section) {
        section.keys(self);
        let known = std::mem::take(&mut self.seen);
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if !known.iter().any(|k| k == name) {
                self.problem(key.span().start, name, unknown(name, &known));
            }
        }
        for (key, message) in section.check() {
            let start = self.table.iter().find(|(name, _)| name.get_ref().as_ref() == key).map(|(k, _)| k.span().start);
            let line = start.map(|start| line_of(self.text, start));
            let key = self.key_path(key);
            self.problems.push(Problem { file: Some(self.file.clone()), line, key, message });
        }
    }

    fn below(&mut self, name: &str, table: &'t DeTable<'t>, visit: impl FnOnce(&mut Self)) {
        let path = self.key_path(name);
        let (outer_table, outer_path) =
            (std::mem::replace(&mut self.table, table), std::mem::replace(&mut self.path, path));
        let outer_seen = std::mem::take(&mut self.seen);
        visit(self);
        (self.table, self.path, self.seen) = (outer_table, outer_path, outer_seen);
    }

    /// The value under a name of the current table, with where it begins.
    fn value(&self, name: &str) -> Option<(&'t DeValue<'t>, usize)> {
        let (_, value) = self.table.iter().find(|(key, _)| key.get_ref().as_ref() == name)?;
        Some((value.get_ref(), value.span().start))
    }

    fn sub_table(&mut self, name: &str) -> Option<&'t DeTable<'t>> {
        self.seen.push(name.to_owned());
        let (value, start) = self.value(name)?;
        let table = value.as_table();
        if table.is_none() {
            let section = self.key_path(name);
            self.problem(start, name, format!("must be a table; write [{section}] and its keys below it"));
        }
        table
    }

    fn set(&mut self, name: &str, value: &DeValue<'_>, start: usize, setting: &mut dyn Setting) {
        if let Err(expected) = setting.read(value) {
            self.problem(start, name, format!("must be {expected}, and is {}", shown(value)));
        }
    }

    fn key_path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn problem(&mut self, start: usize, name: &str, message: String) {
        let line = Some(line_of(self.text, start));
        let key = self.key_path(name);
        self.problems.push(Problem { file: Some(self.file.clone()), line, key, message });
    }
}

impl Keys for Reader<'_> {
    fn key(&mut self, name: &str, _about: &str, setting: &mut dyn Setting) {
        self.seen.push(name.to_owned());
        if let Some((value, start)) = self.value(name) {
            self.set(name, value, start, setting);
        }
    }

    fn table(&mut self, name: &str, _about: &str, section: &mut dyn Section) {
        if let Some(table) = self.sub_table(name) {
            self.below(name, table, |reader| reader.section(section));
        }
    }

    fn named(&mut self, name: &str, _about: &str, _example: &str, table: &mut dyn Named) {
        let Some(entries) = self.sub_table(name) else { return };
        self.below(name, entries, |reader| {
            for (key, value) in entries {
                let entry_name: &str = key.get_ref();
                match table.entry(entry_name) {
                    Err(why) => reader.problem(key.span().start, entry_name, why),
                    Ok(Item::Setting(setting)) => {
                        reader.set(entry_name, value.get_ref(), value.span().start, setting);
                    }
                    Ok(Item::Section(section)) => {
                        if let Some(inner) = reader.sub_table(entry_name) {
                            reader.below(entry_name, inner, |reader| reader.section(section));
                        }
                    }
                }
            }
        });
    }
}

/// What to say about a key that nobody knows.
fn unknown(name: &str, known: &[String]) -> String {
    match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("there is no such key; did you mean `{near}`?"),
        None => format!("there is no such key; known here: {}", known.join(", ")),
    }
}

/// The word that was probably meant, if one is near enough.
pub fn nearest<'w>(word: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    words
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count() / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many letters have to be added, dropped or changed to turn one word into the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let changed = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("\"{}\"", text.chars().take(60).collect::<String>()),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(truth) => truth.to_string(),
        other => format!("a {}", other.type_str()),
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}
