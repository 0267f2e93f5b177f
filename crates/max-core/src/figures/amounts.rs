//! Money and percentages, as people write them.

use std::ops::Range;

use super::scan::{Scan, is_space};
use super::{Money, Percent, Value};

type Read = (usize, usize, Value);

/// Symbols, codes and words of currencies, lower case.
const CURRENCIES: &[(&str, &str)] = &[
    ("us$", "USD"),
    ("usd", "USD"),
    ("dollars", "USD"),
    ("dollar", "USD"),
    ("$", "USD"),
    ("€", "EUR"),
    ("euros", "EUR"),
    ("euro's", "EUR"),
    ("euro", "EUR"),
    ("eur", "EUR"),
    ("£", "GBP"),
    ("gbp", "GBP"),
    ("pounds", "GBP"),
    ("pfund", "GBP"),
    ("pond", "GBP"),
    ("livres", "GBP"),
    ("chf", "CHF"),
    ("sfr.", "CHF"),
    ("sfr", "CHF"),
    ("franken", "CHF"),
    ("francs", "CHF"),
    ("cad", "CAD"),
    ("aud", "AUD"),
    ("sek", "SEK"),
    ("nok", "NOK"),
    ("dkk", "DKK"),
    ("pln", "PLN"),
    ("czk", "CZK"),
];

/// Words that multiply, lower case. The flag: it makes an amount even without a currency.
const MULTIPLIERS: &[(&str, i64, bool)] = &[
    ("k", 1_000, true),
    ("tsd.", 1_000, true),
    ("tsd", 1_000, true),
    ("tausend", 1_000, false),
    ("thousand", 1_000, false),
    ("grand", 1_000, true),
    ("duizend", 1_000, false),
    ("mille", 1_000, false),
    ("t", 1_000, false),
    ("millionen", 1_000_000, false),
    ("million", 1_000_000, false),
    ("millions", 1_000_000, false),
    ("miljoen", 1_000_000, false),
    ("mio.", 1_000_000, false),
    ("mio", 1_000_000, false),
    ("mln", 1_000_000, false),
    ("m", 1_000_000, false),
];

/// What `4k` and `12k` count when they count no money.
const COUNTED: &[&str] = &[
    "video",
    "videos",
    "display",
    "screen",
    "monitor",
    "resolution",
    "users",
    "user",
    "visitors",
    "visits",
    "people",
    "followers",
    "products",
    "articles",
    "items",
    "records",
    "rows",
    "members",
    "customers",
    "clients",
    "pages",
    "words",
    "photos",
    "images",
    "orders",
    "subscribers",
    "nutzer",
    "besucher",
    "kunden",
    "artikel",
    "produkte",
    "seiten",
    "mitglieder",
    "bilder",
    "auflösung",
    "gebruikers",
    "bezoekers",
    "klanten",
    "producten",
    "leden",
    "pagina",
    "utilisateurs",
    "visiteurs",
    "clients",
    "produits",
    "membres",
    "abonnés",
    "run",
    "km",
];

/// One number with what stands around it.
struct Atom {
    from: usize,
    to: usize,
    /// Hundredths.
    number: i64,
    multiplier: Option<(i64, bool)>,
    currency: Option<&'static str>,
    percent: bool,
    /// `1.200,-`
    dashed: bool,
    /// Written with a separator or a multiplier: not a plain small number.
    plain: bool,
}

impl Atom {
    fn is_money(&self) -> bool {
        !self.percent && (self.currency.is_some() || self.dashed || self.multiplier.is_some_and(|(_, certain)| certain))
    }

    fn value(&self) -> Option<i64> {
        self.number.checked_mul(self.multiplier.map_or(1, |(times, _)| times))
    }
}

/// The amount or percentage whose number begins at `at`, with its beginning and end.
pub fn read(scan: &Scan, at: usize) -> Option<Read> {
    let first = atom(scan, at)?;
    if let Some(read) = range(scan, &first) {
        return Some(read);
    }
    let value = first.value()?;
    if first.percent {
        return Some((first.from, first.to, Value::Percent(Percent { low: value, high: value })));
    }
    if !first.is_money() || counts_things(scan, &first) {
        return None;
    }
    let money = Money { low: value, high: value, currency: first.currency };
    Some((first.from, first.to, Value::Money(money)))
}

/// `12k users`: a number of something, not of money.
fn counts_things(scan: &Scan, atom: &Atom) -> bool {
    if atom.currency.is_some() || atom.dashed {
        return false;
    }
    let gap = scan.skip_spaces(atom.to, 2);
    let gap = if scan.at(gap) == Some('-') { gap + 1 } else { gap };
    let (word, _) = scan.word(gap);
    COUNTED.contains(&word.as_str())
}

/// `25-30k`, `€ 25.000 bis € 30.000`, `10 à 15 %`, when the two ends belong together.
fn range(scan: &Scan, first: &Atom) -> Option<Read> {
    let second = atom(scan, after_connector(scan, first)?)?;
    let to = second.to;
    if second.percent {
        let (low, high) = (first.value()?, second.value()?);
        let alike = first.percent || (!first.is_money() && low <= high);
        return alike.then_some((first.from, to, Value::Percent(Percent { low, high })));
    }
    if first.percent || !(first.is_money() || second.is_money()) || counts_things(scan, &second) {
        return None;
    }
    let currency = match (first.currency, second.currency) {
        (Some(a), Some(b)) if a != b => return None,
        (a, b) => a.or(b),
    };
    let mut low = first.value()?;
    let mut high = second.value()?;
    match (first.multiplier, second.multiplier) {
        (None, Some((times, _))) if first.number <= second.number => low = low.checked_mul(times)?,
        (Some((times, _)), None) if first.number <= second.number => high = high.checked_mul(times)?,
        // "10-15.000 Euro" goes from ten thousand on.
        (None, None) if first.plain && low < 100_000 && high % 100_000 == 0 && low.checked_mul(1_000)? <= high => {
            low = low.checked_mul(1_000)?;
        }
        _ => {}
    }
    (low <= high).then_some((first.from, to, Value::Money(Money { low, high, currency })))
}

/// Where the second end of a range may begin.
fn after_connector(scan: &Scan, first: &Atom) -> Option<usize> {
    let at = scan.skip_spaces(first.to, 2);
    if matches!(scan.at(at), Some('-' | '–' | '—' | '‑' | '−')) {
        return Some(before_number(scan, scan.skip_spaces(at + 1, 2)));
    }
    let joins = ["to ", "bis zu ", "bis ", "tot ", "à ", "a ", "until "];
    let pairs = ["and ", "und ", "en ", "et "];
    let between = || {
        let mut end = first.from;
        while end > 0 && scan.before(end).is_some_and(is_space) {
            end -= 1;
        }
        ["between", "zwischen", "tussen", "entre"].iter().any(|w| scan.said_before(end, w).is_some())
    };
    let after = joins
        .iter()
        .find_map(|w| scan.says(at, w))
        .or_else(|| pairs.iter().find_map(|w| scan.says(at, w)).filter(|_| between()))?;
    (at > first.to).then(|| before_number(scan, scan.skip_spaces(after, 1)))
}

/// After a currency that stands before the number.
fn before_number(scan: &Scan, at: usize) -> usize {
    let after = CURRENCIES.iter().find_map(|(word, _)| scan.says(at, word));
    after.map_or(at, |after| scan.skip_spaces(after, 2))
}

/// The number at `at` with its currency, multiplier or percent sign.
fn atom(scan: &Scan, at: usize) -> Option<Atom> {
    scan.digit(at)?;
    let mut from = at;
    let mut currency = None;
    let mut gap = at;
    while gap > 0 && at - gap < 2 && scan.before(gap).is_some_and(is_space) {
        gap -= 1;
    }
    for (word, code) in CURRENCIES {
        if let Some(begin) = scan.said_before(gap, word) {
            (from, currency) = (begin, Some(*code));
            break;
        }
    }
    // Part of a name such as `B2B`, or the rest of a longer number.
    if from == at
        && scan.before(at).is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | ',') && ends_number(scan, at))
    {
        return None;
    }
    let (number, mut to, plain) = number(scan, at)?;
    let mut atom = Atom { from, to, number, multiplier: None, currency, percent: false, dashed: false, plain };
    if matches!(scan.at(to), Some(',' | '.'))
        && matches!(scan.at(to + 1), Some('-' | '–' | '—'))
        && scan.digit(to + 2).is_none()
    {
        let dashes = (to + 1..scan.len()).take_while(|i| matches!(scan.at(*i), Some('-' | '–' | '—'))).count();
        to += 1 + dashes;
        (atom.dashed, atom.to) = (true, to);
    }
    if let Some(end) = percent(scan, to) {
        (atom.percent, atom.to) = (true, end);
        return Some(atom);
    }
    multiply(scan, &mut atom);
    if atom.currency.is_none() {
        name_currency(scan, &mut atom);
    }
    // `2 m` is a length and `5 t` a weight unless money is named.
    if atom.currency.is_none() && atom.multiplier.is_some_and(|(_, certain)| !certain) {
        (atom.multiplier, atom.to) = (None, to);
    }
    Some(atom)
}

fn ends_number(scan: &Scan, at: usize) -> bool {
    at.checked_sub(2).is_some_and(|i| scan.digit(i).is_some())
}

fn percent(scan: &Scan, at: usize) -> Option<usize> {
    let gap = scan.skip_spaces(at, 2);
    if matches!(scan.at(gap), Some('%' | '％' | '٪')) {
        return Some(gap + 1);
    }
    let gap = if gap == at && scan.at(gap) == Some('-') { gap + 1 } else { gap };
    [
        "percent",
        "per cent",
        "prozentige",
        "prozentigen",
        "prozentiger",
        "prozent",
        "procent",
        "pour cent",
        "pct",
        "v.h.",
    ]
    .iter()
    .find_map(|w| scan.says(gap, w))
}

fn multiply(scan: &Scan, atom: &mut Atom) {
    let gap = scan.skip_spaces(atom.to, 1);
    for (word, times, certain) in MULTIPLIERS {
        // `k€`, `TEUR` and `M$` are written without a space in between.
        let joined =
            word.len() == 1 && ["€", "eur", "$", "£"].iter().any(|c| scan.says(gap, &format!("{word}{c}")).is_some());
        let end = if joined { Some(gap + 1) } else { scan.says(gap, word) };
        if let Some(end) = end {
            // `4 K` apart is more often anything else.
            let certain = *certain && (gap == atom.to || *word != "k");
            (atom.multiplier, atom.to) = (Some((*times, certain)), end);
            return;
        }
    }
}

fn name_currency(scan: &Scan, atom: &mut Atom) {
    let gap = scan.skip_spaces(atom.to, 2);
    let gap = if gap == atom.to && scan.at(gap) == Some('-') { gap + 1 } else { gap };
    // "2 millions d'euros"
    let gap = ["d'", "d’", "de "].iter().find_map(|w| scan.says(gap, w)).unwrap_or(gap);
    for (word, code) in CURRENCIES {
        if let Some(end) = scan.says(gap, word) {
            (atom.currency, atom.to) = (Some(*code), end);
            return;
        }
    }
}

/// A number in hundredths with its end, and whether it was written without separators.
///
/// A separator before exactly three digits groups thousands, one before one or two digits begins the decimals; a
/// number has one kind of grouping and at most one decimal separator after it.
fn number(scan: &Scan, at: usize) -> Option<(i64, usize, bool)> {
    let mut to = scan.digits_end(at);
    let mut whole = scan.number(at, to)?;
    let mut plain = true;
    let mut grouped = None;
    if to - at <= 3 && whole > 0 {
        while let Some(sep) = scan.at(to).filter(|c| is_space(*c) || matches!(c, '.' | ',' | '\'' | '’')) {
            let end = scan.digits_end(to + 1);
            if end - to != 4 || grouped.is_some_and(|kind| kind != sep) {
                break;
            }
            whole = whole.checked_mul(1_000)?.checked_add(scan.number(to + 1, end)?)?;
            (to, grouped, plain) = (end, Some(sep), false);
        }
    }
    let mut hundredths = whole.checked_mul(100)?;
    if let Some(sep) = scan.at(to).filter(|c| matches!(c, '.' | ',') && grouped != Some(*c)) {
        let end = scan.digits_end(to + 1);
        let places = end - to - 1;
        let longer = matches!(scan.at(end), Some(c) if c == sep) && scan.digit(end + 1).is_some();
        if (1..=2).contains(&places) && !longer {
            let decimals = scan.number(to + 1, end)?;
            hundredths = hundredths.checked_add(if places == 1 { decimals * 10 } else { decimals })?;
            (to, plain) = (end, false);
        }
    }
    Some((hundredths, to, plain))
}

/// A budget that is written as a number and nothing else that counts: `12.500`, `25000 - 30000`, `budget: ca. 8000`.
pub fn bare_budget(text: &str) -> Option<(Range<usize>, Money)> {
    const AROUND: &[&str] = &[
        "budget",
        "is",
        "our",
        "about",
        "around",
        "approx",
        "ca",
        "circa",
        "etwa",
        "rund",
        "ungefähr",
        "max",
        "maximum",
        "maximal",
        "maximaal",
        "up",
        "to",
        "bis",
        "zu",
        "höchstens",
        "hoogstens",
        "tot",
        "env",
        "environ",
        "jusqu",
        "à",
        "unser",
        "ons",
        "notre",
        "de",
        "von",
        "van",
        "of",
        "net",
        "netto",
        "brutto",
        "bruto",
        "gross",
        "ht",
        "ttc",
        "ex",
        "excl",
        "incl",
        "inkl",
        "exkl",
        "zzgl",
        "plus",
        "vat",
        "mwst",
        "ust",
        "btw",
        "tva",
        "hors",
        "taxes",
        "ist",
        "est",
        "total",
        "gesamt",
        "under",
        "unter",
        "onder",
        "at",
        "most",
    ];
    let scan = Scan::new(text);
    if scan.len() > 80 {
        return None;
    }
    let words = text.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_empty());
    if !words.map(super::scan::lower).all(|w| AROUND.contains(&w.as_str())) {
        return None;
    }
    let at = (0..scan.len()).find(|i| scan.digit(*i).is_some())?;
    let first = atom(&scan, at)?;
    let second = after_connector(&scan, &first).and_then(|at| atom(&scan, at));
    let (low, high, to) = match second {
        Some(second) if second.value()? >= first.value()? => (first.value()?, second.value()?, second.to),
        _ => (first.value()?, first.value()?, first.to),
    };
    if first.percent || (to..scan.len()).any(|i| scan.digit(i).is_some()) {
        return None;
    }
    Some((scan.byte(first.from)..scan.byte(to), Money { low, high, currency: None }))
}
