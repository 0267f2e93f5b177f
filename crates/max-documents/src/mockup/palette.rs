//! The colours and typefaces of a mockup: the client's own where he named them, else a set that suits the house.
//!
//! Whatever colour comes in, text stays readable: the accent is darkened until it keeps 4.5:1 on white and on its
//! own tint.

use max_core::id::Digest;

/// A colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rgb(pub [u8; 3]);

impl Rgb {
    /// Reads `#rrggbb`.
    pub fn parse(text: &str) -> Option<Rgb> {
        let digits = text.strip_prefix('#').filter(|d| d.len() == 6 && d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let part = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        Some(Rgb([part(0)?, part(2)?, part(4)?]))
    }

    /// As `#rrggbb`.
    pub fn hex(self) -> String {
        let [r, g, b] = self.0;
        format!("#{r:02x}{g:02x}{b:02x}")
    }

    /// `share` percent of this, the rest of `other`.
    #[must_use]
    pub fn mixed(self, share: u16, other: Rgb) -> Rgb {
        let part = |i: usize| {
            let sum = u16::from(self.0[i]) * share + u16::from(other.0[i]) * (100 - share);
            u8::try_from((sum + 50) / 100).unwrap_or(u8::MAX)
        };
        Rgb([part(0), part(1), part(2)])
    }

    /// The contrast with another colour by WCAG, 1 to 21.
    pub fn contrast(self, other: Rgb) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn luminance(self) -> f64 {
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.0[0]) + 0.7152 * linear(self.0[1]) + 0.0722 * linear(self.0[2])
    }

    /// The same colour, darkened until it can be read on white and on its own tint.
    #[must_use]
    pub fn readable(self) -> Rgb {
        let mut colour = self;
        while colour.contrast(WHITE) < ENOUGH || colour.contrast(tint(colour)) < ENOUGH {
            colour = colour.mixed(94, BLACK);
        }
        colour
    }
}

/// What WCAG AA asks of text.
pub const ENOUGH: f64 = 4.5;

const WHITE: Rgb = Rgb([255; 3]);
const BLACK: Rgb = Rgb([0; 3]);
const INK: Rgb = Rgb([0x1b, 0x21, 0x24]);

fn tint(accent: Rgb) -> Rgb {
    accent.mixed(9, WHITE)
}

/// A set of colours and typefaces.
#[derive(Clone, Debug)]
pub struct Palette {
    accent: Rgb,
    second: Rgb,
    paper: Rgb,
    shape: usize,
}

/// Sets that suit the house: accent, second colour, paper.
const HOUSE: [[&str; 3]; 6] = [
    ["#1f5b4a", "#e09f68", "#fbf9f5"],
    ["#26437d", "#ef9b7d", "#f8f9fc"],
    ["#8a3b2c", "#ecc07d", "#fcf8f4"],
    ["#5b3a70", "#e8aaa2", "#faf8fb"],
    ["#125e6b", "#f2c566", "#f6fafa"],
    ["#545c1e", "#d5855c", "#fbfaf3"],
];

impl Palette {
    /// The client's own colours where there are any, else one of the house's; the same client gets the same one.
    pub fn of(client: &str, own: &[Rgb]) -> Palette {
        let digest = Digest::of(client.as_bytes()).0;
        let [accent, second, paper] =
            HOUSE[usize::from(digest[0]) % HOUSE.len()].map(|hex| Rgb::parse(hex).unwrap_or(INK));
        let shape = usize::from(digest[1]) % DISPLAY.len();
        match own {
            [] => Palette { accent: accent.readable(), second, paper, shape },
            [only] => {
                // A colour too bright for text stays itself where nothing has to be read.
                let bright = only.readable() != *only;
                let second = if bright { *only } else { only.mixed(48, Rgb([0xf3, 0xd9, 0xb8])) };
                Palette { accent: only.readable(), second, paper: only.mixed(2, WHITE), shape }
            }
            [first, other, ..] => {
                let (accent, second) = match (first.readable() == *first, other.readable() == *other) {
                    (false, true) => (other, first),
                    _ => (first, other),
                };
                Palette { accent: accent.readable(), second: *second, paper: accent.mixed(2, WHITE), shape }
            }
        }
    }

    /// The accent as `#rrggbb`.
    pub fn accent(&self) -> String {
        self.accent.hex()
    }

    /// The custom properties of the page.
    pub fn properties(&self) -> String {
        let accent = self.accent;
        let (round, shape, card) =
            [("99px", "1.4rem 1.4rem 1.4rem 6rem", "1.2rem"), ("10px", ".9rem", ".9rem"), ("4px", "4px", "6px")]
                [self.shape];
        let colours = [
            ("accent", accent.hex()),
            ("second", self.second.hex()),
            ("tint", tint(accent).hex()),
            ("wash", accent.mixed(20, WHITE).hex()),
            ("deep", accent.mixed(52, INK).hex()),
            ("paper", self.paper.hex()),
            ("ink", INK.hex()),
            ("soft", INK.mixed(72, WHITE).hex()),
            ("line", INK.mixed(12, self.paper).hex()),
            ("edge", INK.mixed(55, WHITE).hex()),
        ];
        let colours: String = colours.iter().map(|(name, hex)| format!("--{name}:{hex};")).collect();
        format!("{colours}--round:{round};--shape:{shape};--box:{card}")
    }

    /// The typefaces of headings.
    pub fn display_font(&self) -> &'static str {
        DISPLAY[self.shape]
    }

    /// The typefaces of text.
    pub fn text_font(&self) -> &'static str {
        TEXT
    }
}

const TEXT: &str =
    "\"Source Sans 3\",\"Segoe UI\",system-ui,-apple-system,\"Helvetica Neue\",\"Liberation Sans\",Arial,sans-serif";

const DISPLAY: [&str; 3] = [
    "\"Iowan Old Style\",\"Palatino Linotype\",Palatino,\"URW Palladio L\",\"Book Antiqua\",Georgia,serif",
    "Avenir,\"Avenir Next\",Montserrat,Corbel,\"URW Gothic\",\"Segoe UI\",system-ui,\"Liberation Sans\",sans-serif",
    "Charter,\"Bitstream Charter\",\"Sitka Text\",Cambria,\"Liberation Serif\",Georgia,serif",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clients_colour_is_darkened_until_it_can_be_read() {
        for hex in ["#ffff00", "#f2b705", "#00ff88", "#1f5b4a", "#000000", "#ffffff"] {
            let accent = Rgb::parse(hex).expect("a colour").readable();
            assert!(accent.contrast(WHITE) >= ENOUGH && accent.contrast(tint(accent)) >= ENOUGH, "{hex}");
        }
        let dark = Rgb::parse("#123456").expect("a colour");
        assert_eq!(dark.readable(), dark, "what can be read already stays as it is");
        assert_eq!(Rgb::parse("#12345g"), None);
        assert_eq!(Rgb::parse("red"), None);
    }

    #[test]
    fn of_two_colours_the_one_that_can_be_read_carries_the_words() {
        let [yellow, green] = ["#e0b000", "#1f4d3a"].map(|hex| Rgb::parse(hex).expect("a colour"));
        assert_eq!(Palette::of("x", &[yellow, green]).accent(), "#1f4d3a");
        assert!(Palette::of("x", &[yellow]).properties().contains("--second:#e0b000"));
    }

    #[test]
    fn every_house_palette_can_be_read() {
        for [accent, _, paper] in HOUSE {
            let (accent, paper) = (Rgb::parse(accent).expect("a colour"), Rgb::parse(paper).expect("a colour"));
            assert_eq!(accent.readable(), accent);
            assert!(INK.mixed(72, WHITE).contrast(tint(accent)) >= ENOUGH);
            assert!(accent.contrast(paper) >= ENOUGH);
            assert!(accent.mixed(52, INK).contrast(WHITE) >= 7.0);
        }
    }
}
