//! Days and months, as people write them.

use jiff::civil::Date;

use super::Value;
use super::scan::Scan;

type Read = (usize, usize, Value);

/// The date that begins at `at`, with its end.
pub fn read(scan: &Scan, at: usize) -> Option<Read> {
    let before = scan.before(at);
    if before.is_some_and(char::is_alphanumeric) {
        return None;
    }
    // The middle of something longer, such as a version or an address of a machine.
    let joined = matches!(before, Some('.' | '/' | '-')) && at.checked_sub(2).is_some_and(|i| scan.digit(i).is_some());
    if scan.digit(at).is_some() {
        if joined {
            return None;
        }
        return year_first(scan, at).or_else(|| in_figures(scan, at)).or_else(|| day_and_name(scan, at));
    }
    name_first(scan, at)
}

/// `2027-03-01`, `2027/03/01`.
fn year_first(scan: &Scan, at: usize) -> Option<Read> {
    let (year, to) = run(scan, at, 4, 4)?;
    let sep = scan.at(to).filter(|c| matches!(c, '-' | '/' | '.'))?;
    let (month, to) = run(scan, to + 1, 1, 2)?;
    (scan.at(to) == Some(sep)).then_some(())?;
    let (day, to) = run(scan, to + 1, 1, 2)?;
    Some((at, to, Value::Date(vec![date(year, month, day)?])))
}

/// `01.03.2027`, `1. 3. 2027`, `3/1/2027`, `03-01-2027`, `1.3.27`; `am 01.03.` has no year.
fn in_figures(scan: &Scan, at: usize) -> Option<Read> {
    let (first, to) = run(scan, at, 1, 2)?;
    let sep = scan.at(to).filter(|c| matches!(c, '.' | '/' | '-'))?;
    let gap = |to: usize| if sep == '.' { scan.skip_spaces(to, 1) } else { to };
    let (second, to) = run(scan, gap(to + 1), 1, 2)?;
    (scan.at(to) == Some(sep)).then_some(())?;
    let Some((year, end)) = year(scan, gap(to + 1), sep != '-') else {
        let day = sep == '.' && scan.digit(to + 1).is_none() && is_dated(scan, at) && plausible(second, first);
        return day.then(|| (at, to + 1, Value::Day { month: small(second), day: small(first) }));
    };
    let day_first = date(year, second, first);
    let month_first = (sep == '/' || sep == '-').then(|| date(year, first, second)).flatten();
    let mut readings: Vec<Date> = day_first.into_iter().chain(month_first).collect();
    readings.dedup();
    (!readings.is_empty()).then_some((at, end, Value::Date(readings)))
}

/// `1 March 2027`, `1. März 2027`, `1er mars 2027`, `3rd of May`.
fn day_and_name(scan: &Scan, at: usize) -> Option<Read> {
    let (day, to) = run(scan, at, 1, 2)?;
    let to = ordinal(scan, to);
    let gap = scan.skip_spaces(to, 2);
    let gap = if gap == to && scan.at(to) == Some('-') { to + 1 } else { gap };
    let gap = ["of ", "de "].iter().find_map(|w| scan.says(gap, w)).unwrap_or(gap);
    (gap > to || scan.before(to) == Some('.')).then_some(())?;
    let (month, to) = month_name(scan, gap)?;
    with_year(scan, at, to, month, day)
}

/// `March 1, 2027`, `March 2027`, `March 1st`.
fn name_first(scan: &Scan, at: usize) -> Option<Read> {
    let capital = scan.at(at).is_some_and(char::is_uppercase);
    let (month, to) = month_name(scan, at)?;
    let gap = scan.skip_spaces(to, 2);
    (gap > to).then_some(())?;
    if let Some((year, end)) = year(scan, gap, false) {
        return Some((at, end, Value::Month { year: i16::try_from(year).ok()?, month: small(month) }));
    }
    let (day, to) = run(scan, gap, 1, 2)?;
    let to = ordinal(scan, to);
    let read = with_year(scan, at, to, month, day)?;
    // "they may 3 times" is no date, "May 3" is.
    (capital || matches!(read.2, Value::Date(_))).then_some(read)
}

fn with_year(scan: &Scan, from: usize, to: usize, month: i64, day: i64) -> Option<Read> {
    let comma = if matches!(scan.at(to), Some(',' | '-')) { to + 1 } else { to };
    let gap = scan.skip_spaces(comma, 2);
    if let Some((year, end)) = year(scan, gap, false).filter(|_| gap > to) {
        return Some((from, end, Value::Date(vec![date(year, month, day)?])));
    }
    plausible(month, day).then(|| (from, to, Value::Day { month: small(month), day: small(day) }))
}

/// After `st`, `er`, `.` and what else makes a number a place in an order.
fn ordinal(scan: &Scan, at: usize) -> usize {
    if scan.at(at) == Some('.') {
        return at + 1;
    }
    ["st", "nd", "rd", "th", "er", "ste", "de", "e"].iter().find_map(|w| scan.says(at, w)).unwrap_or(at)
}

/// A year of four digits, or of two where `short` allows it.
fn year(scan: &Scan, at: usize, short: bool) -> Option<(i64, usize)> {
    let to = scan.digits_end(at);
    let year = scan.number(at, to)?;
    match to - at {
        4 if (1900..2200).contains(&year) => Some((year, to)),
        2 if short => Some((2000 + year, to)),
        _ => None,
    }
}

fn run(scan: &Scan, at: usize, least: usize, most: usize) -> Option<(i64, usize)> {
    let to = scan.digits_end(at);
    ((least..=most).contains(&(to - at))).then_some(())?;
    Some((scan.number(at, to)?, to))
}

fn date(year: i64, month: i64, day: i64) -> Option<Date> {
    if !(1900..2200).contains(&year) {
        return None;
    }
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

fn plausible(month: i64, day: i64) -> bool {
    date(2024, month, day).is_some()
}

/// A number that [`plausible`] or [`date`] has seen.
fn small(number: i64) -> i8 {
    i8::try_from(number).unwrap_or(1)
}

/// True after a word that makes `1.3.` a day and no number.
fn is_dated(scan: &Scan, at: usize) -> bool {
    let mut end = at;
    while end > 0 && scan.before(end).is_some_and(super::scan::is_space) {
        end -= 1;
    }
    ["am", "zum", "bis", "vom", "ab", "den", "dem", "op", "tot", "vanaf", "le", "du", "au"]
        .iter()
        .any(|w| end < at && scan.said_before(end, w).is_some())
}

fn month_name(scan: &Scan, at: usize) -> Option<(i64, usize)> {
    const NAMES: [&[&str]; 12] = [
        &["january", "januar", "jänner", "januari", "janvier", "jan", "janv"],
        &["february", "februar", "feber", "februari", "février", "fevrier", "feb", "févr", "fév"],
        &["march", "märz", "maerz", "maart", "mars", "mar", "mär", "mrt"],
        &["april", "avril", "apr", "avr"],
        &["may", "mai", "mei"],
        &["june", "juni", "juin", "jun"],
        &["july", "juli", "juillet", "jul", "juil"],
        &["august", "augustus", "août", "aout", "aug"],
        &["september", "septembre", "sep", "sept"],
        &["october", "oktober", "octobre", "oct", "okt"],
        &["november", "novembre", "nov"],
        &["december", "dezember", "décembre", "decembre", "dec", "dez", "déc"],
    ];
    let (word, to) = scan.word(at);
    let month = NAMES.iter().position(|names| names.contains(&word.as_str()))?;
    let short = word.chars().count() <= 5 && scan.at(to) == Some('.');
    // `1 Dec. 2027`: the point belongs to the short name when a year follows.
    let to = if short && year(scan, scan.skip_spaces(to + 1, 2), false).is_some() { to + 1 } else { to };
    Some((i64::try_from(month).ok()? + 1, to))
}
