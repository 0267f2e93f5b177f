//! Writes `max.toml` with every key, its default and a sentence about it.

use super::keys::{Item, Keys, Named, Section, Setting};

/// The commented file for a section.
pub(super) fn write(heading: &str, section: &mut dyn Section) -> String {
    let mut writer = Writer { out: String::new(), path: String::new() };
    writer.comment(heading);
    section.keys(&mut writer);
    writer.out
}

struct Writer {
    out: String,
    path: String,
}

impl Writer {
    fn comment(&mut self, text: &str) {
        for line in text.lines() {
            self.out.push_str(if line.is_empty() { "#" } else { "# " });
            self.out.push_str(line);
            self.out.push('\n');
        }
    }

    fn open(&mut self, name: &str, about: &str) -> String {
        let outer = self.path.clone();
        self.path = if outer.is_empty() { name.to_owned() } else { format!("{outer}.{name}") };
        self.out.push('\n');
        self.comment(about);
        self.out.push_str(&format!("[{}]\n", self.path));
        outer
    }
}

impl Keys for Writer {
    fn key(&mut self, name: &str, about: &str, value: &mut dyn Setting) {
        self.comment(about);
        self.out.push_str(&format!("{name} = {}\n", value.write()));
    }

    fn table(&mut self, name: &str, about: &str, section: &mut dyn Section) {
        let outer = self.open(name, about);
        section.keys(self);
        self.path = outer;
    }

    fn named(&mut self, name: &str, about: &str, example: &str, table: &mut dyn Named) {
        let outer = self.open(name, about);
        for entry in table.names() {
            match table.entry(&entry) {
                Ok(Item::Setting(setting)) => self.out.push_str(&format!("{entry} = {}\n", setting.write())),
                Ok(Item::Section(section)) => {
                    let above = self.open(&entry, "");
                    section.keys(self);
                    self.path = above;
                }
                Err(_) => {}
            }
        }
        self.comment(example);
        self.path = outer;
    }
}
