//! Working days: weekends, public holidays, and the days an agency is closed.
//!
//! Nothing falls due on a day on which either side is at home. The rules of each country are its national ones, from
//! its own law (holidays of single states, cantons or regions are left to the agency's list of extra days); feasts
//! that move are counted from Easter.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::{Date, Weekday, date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lead::Lead;

/// The longest way looked for a working day; no calendar is closed for so long.
const FAR: u32 = 60;

/// The days on which work is done: not the weekend, no holiday of any of the countries, none of the extra days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Calendar {
    /// Whose public holidays count.
    pub countries: BTreeSet<Country>,
    /// Other days without work.
    pub closed: BTreeSet<Date>,
}

impl Calendar {
    /// A calendar of one country.
    pub fn of(country: Country) -> Self {
        Self { countries: BTreeSet::from([country]), closed: BTreeSet::new() }
    }

    /// The same, closed on the holidays of `country` too.
    #[must_use]
    pub fn and(mut self, country: Option<Country>) -> Self {
        self.countries.extend(country);
        self
    }

    /// True when both sides work on this day.
    pub fn is_working(&self, day: Date) -> bool {
        self.why_closed(day).is_none()
    }

    /// Why nobody works on this day, if so: fits "is …".
    pub fn why_closed(&self, day: Date) -> Option<String> {
        if is_weekend(day) {
            return Some("on a weekend".into());
        }
        let feast = |c: &Country| Some(format!("{} ({})", c.holiday(day)?, c.code()));
        let holiday = self.countries.iter().find_map(feast);
        holiday.or_else(|| self.closed.contains(&day).then(|| "a day on which the agency is closed".into()))
    }

    /// `day` itself when it is a working day, else the next one.
    pub fn on_or_after(&self, day: Date) -> Date {
        let mut day = day;
        for _ in 0..FAR {
            if self.is_working(day) {
                break;
            }
            day = day.saturating_add(1.day());
        }
        day
    }

    /// `day` itself when it is a working day, else the last one before it.
    pub fn on_or_before(&self, day: Date) -> Date {
        let mut day = day;
        for _ in 0..FAR {
            if self.is_working(day) {
                break;
            }
            day = day.saturating_sub(1.day());
        }
        day
    }

    /// The working day that is `days` working days after `day`; with 0 the same as [`Self::on_or_after`].
    pub fn after(&self, day: Date, days: u32) -> Date {
        let mut day = self.on_or_after(day);
        for _ in 0..days {
            let next = self.on_or_after(day.saturating_add(1.day()));
            if next == day {
                // The end of time.
                break;
            }
            day = next;
        }
        day
    }

    /// How many working days lie in `first..=last`.
    pub fn count(&self, first: Date, last: Date) -> u32 {
        let mut day = first;
        let mut count = 0;
        while day <= last {
            count += u32::from(self.is_working(day));
            let Ok(next) = day.checked_add(1.day()) else { break };
            day = next;
        }
        count
    }
}

/// Saturday or Sunday.
pub fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// A country whose public holidays are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Country {
    /// Germany: the days that are holidays in every state.
    De,
    /// Austria.
    At,
    /// Switzerland: the first of August, and the days that nearly every canton keeps.
    Ch,
    /// The Netherlands.
    Nl,
    /// Belgium.
    Be,
    /// France.
    Fr,
    /// England and Wales.
    Gb,
    /// The United States: the federal holidays.
    Us,
}

impl Country {
    /// Every country.
    pub const ALL: [Country; 8] =
        [Country::De, Country::At, Country::Ch, Country::Nl, Country::Be, Country::Fr, Country::Gb, Country::Us];

    /// Its ISO 3166 code.
    pub const fn code(self) -> &'static str {
        match self {
            Country::De => "DE",
            Country::At => "AT",
            Country::Ch => "CH",
            Country::Nl => "NL",
            Country::Be => "BE",
            Country::Fr => "FR",
            Country::Gb => "GB",
            Country::Us => "US",
        }
    }

    /// The country with this ISO 3166 code, in either case.
    pub fn of_code(code: &str) -> Option<Country> {
        let code = if code.eq_ignore_ascii_case("UK") { "GB" } else { code };
        Self::ALL.into_iter().find(|c| c.code().eq_ignore_ascii_case(code))
    }

    /// Where a client is at home: by the `country` given, else by the region of the locale, else by the telephone's
    /// country code. A language alone says nothing: German is spoken in three of these countries.
    pub fn of_lead(lead: &Lead) -> Option<Country> {
        let contact = &lead.contact;
        let given = contact.extra.get("country").and_then(|v| v.as_str()).and_then(|c| Self::of_code(c.trim()));
        let locale = contact.locale.as_deref().unwrap_or_default();
        let region = || locale.split(['-', '_']).skip(1).find_map(Self::of_code);
        let phone = || Self::of_phone(contact.phone.as_deref().unwrap_or_default());
        given.or_else(region).or_else(phone)
    }

    /// The country of an international telephone number. `+1` has many countries and counts for none.
    fn of_phone(number: &str) -> Option<Country> {
        let digits: String = number.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
        let number = digits.strip_prefix('+').or_else(|| digits.strip_prefix("00"))?;
        let codes = [
            ("49", Country::De),
            ("43", Country::At),
            ("41", Country::Ch),
            ("31", Country::Nl),
            ("32", Country::Be),
            ("33", Country::Fr),
            ("44", Country::Gb),
        ];
        codes.into_iter().find(|(code, _)| number.starts_with(code)).map(|(_, country)| country)
    }

    /// The name of the public holiday on this day, if it is one.
    pub fn holiday(self, day: Date) -> Option<&'static str> {
        let kept = |feast: &&Feast| feast.0.on(day, self);
        self.feasts().iter().find(kept).map(|feast| feast.1)
    }

    fn feasts(self) -> &'static [Feast] {
        match self {
            Country::De => DE,
            Country::At => AT,
            Country::Ch => CH,
            Country::Nl => NL,
            Country::Be => BE,
            Country::Fr => FR,
            Country::Gb => GB,
            Country::Us => US,
        }
    }
}

/// A rule for a day of the year, and the day's name.
struct Feast(When, &'static str);

/// How a holiday's date is found.
enum When {
    /// A fixed day: month, day.
    Fixed(i8, i8),
    /// A fixed day; on a weekend another day is kept in its place.
    Moved(i8, i8),
    /// So many days after Easter Sunday.
    Easter(i64),
    /// The nth such weekday of a month; -1 is the last.
    Nth(i8, i8, Weekday),
    /// The Dutch king's birthday: the 27th of April, on a Sunday the day before.
    KingsDay,
    /// A day off in every fifth year only: month, day.
    EveryFifthYear(i8, i8),
}

impl When {
    fn on(&self, day: Date, country: Country) -> bool {
        match *self {
            When::Fixed(month, of) => (day.month(), day.day()) == (month, of),
            When::Moved(month, of) => match country {
                Country::Us => observed_in_us(day, month, of),
                _ => substituted_in_gb(day, month, of),
            },
            When::Easter(after) => easter(day.year()).and_then(|e| e.checked_add(after.days()).ok()) == Some(day),
            When::Nth(month, nth, weekday) => {
                day.month() == month && day.first_of_month().nth_weekday_of_month(nth, weekday).ok() == Some(day)
            }
            When::KingsDay => {
                let birthday = date(day.year(), 4, 27);
                let sunday = birthday.weekday() == Weekday::Sunday;
                day == if sunday { date(day.year(), 4, 26) } else { birthday }
            }
            When::EveryFifthYear(month, of) => day.year() % 5 == 0 && (day.month(), day.day()) == (month, of),
        }
    }
}

/// Federal holidays on a Saturday are kept on the Friday before, on a Sunday on the Monday after (5 U.S.C. 6103 and
/// Executive Order 11582). New Year's Day may so fall into the year before.
fn observed_in_us(day: Date, month: i8, of: i8) -> bool {
    (day.year()..=day.year().saturating_add(1)).any(|year| {
        let Ok(feast) = Date::new(year, month, of) else { return false };
        let kept = match feast.weekday() {
            Weekday::Saturday => feast.yesterday(),
            Weekday::Sunday => feast.tomorrow(),
            _ => Ok(feast),
        };
        kept.is_ok_and(|kept| kept == day)
    })
}

/// Bank holidays on a weekend move to the next day that is neither (Banking and Financial Dealings Act 1971): for
/// Christmas and Boxing Day, which lie side by side, that is Monday and Tuesday.
fn substituted_in_gb(day: Date, month: i8, of: i8) -> bool {
    let Ok(feast) = Date::new(day.year(), month, of) else { return false };
    let later = match feast.weekday() {
        Weekday::Saturday => 2,
        // Each of the two takes the Monday from the other.
        Weekday::Sunday if month == 12 => 2,
        Weekday::Sunday => 1,
        _ => 0,
    };
    feast.checked_add(later.days()).is_ok_and(|kept| kept == day)
}

/// Easter Sunday in the Gregorian calendar: the rule "Nature" printed in 1876 from an anonymous correspondent, as
/// given in J. Meeus, Astronomical Algorithms (1991), chapter 8; it holds for every year from 1583 on, without the
/// exceptions that Gauss's older formula needs.
pub fn easter(year: i16) -> Option<Date> {
    let year32 = i32::from(year);
    let golden = year32.rem_euclid(19);
    let (century, of_century) = (year32.div_euclid(100), year32.rem_euclid(100));
    let leap_centuries = century / 4;
    let correction = (century + 8) / 25;
    let moon = (century - correction + 1) / 3;
    let epact = (19 * golden + century - leap_centuries - moon + 15).rem_euclid(30);
    let to_sunday = (32 + 2 * (century % 4) + 2 * (of_century / 4) - epact - of_century % 4).rem_euclid(7);
    let late = (golden + 11 * epact + 22 * to_sunday) / 451;
    let days = epact + to_sunday - 7 * late + 114;
    Date::new(year, i8::try_from(days / 31).ok()?, i8::try_from(days % 31 + 1).ok()?).ok()
}

const GOOD_FRIDAY: Feast = Feast(When::Easter(-2), "Good Friday");
const EASTER_MONDAY: Feast = Feast(When::Easter(1), "Easter Monday");
const ASCENSION: Feast = Feast(When::Easter(39), "Ascension Day");
const WHIT_MONDAY: Feast = Feast(When::Easter(50), "Whit Monday");
const NEW_YEAR: Feast = Feast(When::Fixed(1, 1), "New Year's Day");
const LABOUR_DAY: Feast = Feast(When::Fixed(5, 1), "Labour Day");
const ASSUMPTION: Feast = Feast(When::Fixed(8, 15), "Assumption Day");
const ALL_SAINTS: Feast = Feast(When::Fixed(11, 1), "All Saints' Day");
const CHRISTMAS: Feast = Feast(When::Fixed(12, 25), "Christmas Day");
const SECOND_CHRISTMAS: Feast = Feast(When::Fixed(12, 26), "St Stephen's Day");

const DE: &[Feast] = &[
    NEW_YEAR,
    GOOD_FRIDAY,
    EASTER_MONDAY,
    LABOUR_DAY,
    ASCENSION,
    WHIT_MONDAY,
    Feast(When::Fixed(10, 3), "German Unity Day"),
    CHRISTMAS,
    SECOND_CHRISTMAS,
];

const AT: &[Feast] = &[
    NEW_YEAR,
    Feast(When::Fixed(1, 6), "Epiphany"),
    EASTER_MONDAY,
    LABOUR_DAY,
    ASCENSION,
    WHIT_MONDAY,
    Feast(When::Easter(60), "Corpus Christi"),
    ASSUMPTION,
    Feast(When::Fixed(10, 26), "Austria's National Day"),
    ALL_SAINTS,
    Feast(When::Fixed(12, 8), "Immaculate Conception"),
    CHRISTMAS,
    SECOND_CHRISTMAS,
];

const CH: &[Feast] = &[
    NEW_YEAR,
    GOOD_FRIDAY,
    EASTER_MONDAY,
    ASCENSION,
    WHIT_MONDAY,
    Feast(When::Fixed(8, 1), "Swiss National Day"),
    CHRISTMAS,
    SECOND_CHRISTMAS,
];

const NL: &[Feast] = &[
    NEW_YEAR,
    EASTER_MONDAY,
    Feast(When::KingsDay, "King's Day"),
    Feast(When::EveryFifthYear(5, 5), "Liberation Day"),
    ASCENSION,
    WHIT_MONDAY,
    CHRISTMAS,
    SECOND_CHRISTMAS,
];

const BE: &[Feast] = &[
    NEW_YEAR,
    EASTER_MONDAY,
    LABOUR_DAY,
    ASCENSION,
    WHIT_MONDAY,
    Feast(When::Fixed(7, 21), "Belgian National Day"),
    ASSUMPTION,
    ALL_SAINTS,
    Feast(When::Fixed(11, 11), "Armistice Day"),
    CHRISTMAS,
];

const FR: &[Feast] = &[
    NEW_YEAR,
    EASTER_MONDAY,
    LABOUR_DAY,
    Feast(When::Fixed(5, 8), "Victory Day"),
    ASCENSION,
    WHIT_MONDAY,
    Feast(When::Fixed(7, 14), "French National Day"),
    ASSUMPTION,
    ALL_SAINTS,
    Feast(When::Fixed(11, 11), "Armistice Day"),
    CHRISTMAS,
];

const GB: &[Feast] = &[
    Feast(When::Moved(1, 1), "New Year's Day"),
    GOOD_FRIDAY,
    EASTER_MONDAY,
    Feast(When::Nth(5, 1, Weekday::Monday), "Early May bank holiday"),
    Feast(When::Nth(5, -1, Weekday::Monday), "Spring bank holiday"),
    Feast(When::Nth(8, -1, Weekday::Monday), "Summer bank holiday"),
    Feast(When::Moved(12, 25), "Christmas Day"),
    Feast(When::Moved(12, 26), "Boxing Day"),
];

const US: &[Feast] = &[
    Feast(When::Moved(1, 1), "New Year's Day"),
    Feast(When::Nth(1, 3, Weekday::Monday), "Martin Luther King Day"),
    Feast(When::Nth(2, 3, Weekday::Monday), "Washington's Birthday"),
    Feast(When::Nth(5, -1, Weekday::Monday), "Memorial Day"),
    Feast(When::Moved(6, 19), "Juneteenth"),
    Feast(When::Moved(7, 4), "Independence Day"),
    Feast(When::Nth(9, 1, Weekday::Monday), "Labor Day"),
    Feast(When::Nth(10, 2, Weekday::Monday), "Columbus Day"),
    Feast(When::Moved(11, 11), "Veterans Day"),
    Feast(When::Nth(11, 4, Weekday::Thursday), "Thanksgiving Day"),
    Feast(When::Moved(12, 25), "Christmas Day"),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> Date {
        text.parse().expect("a date")
    }

    /// Easter by Gauss's older formula with its two exceptions: another way to the same day.
    fn easter_by_gauss(year: i16) -> Date {
        let y = i32::from(year);
        let (a, b, c, k) = (y % 19, y % 4, y % 7, y / 100);
        let (p, q) = ((13 + 8 * k) / 25, k / 4);
        let (m, n) = ((15 - p + k - q) % 30, (4 + k - q) % 7);
        let d = (19 * a + m) % 30;
        let e = (2 * b + 4 * c + 6 * d + n) % 7;
        let after = match (d, e) {
            (29, 6) => 28,
            (28, 6) if (11 * m + 11) % 30 < 19 => 27,
            _ => d + e,
        };
        date(year, 3, 22).checked_add(i64::from(after).days()).expect("a date")
    }

    #[test]
    fn easter_is_on_the_days_the_church_announced() {
        for easter_day in ["2024-03-31", "2025-04-20", "2026-04-05", "2027-03-28", "2038-04-25", "1818-03-22"] {
            assert_eq!(easter(day(easter_day).year()), Some(day(easter_day)));
        }
    }

    #[test]
    fn holidays_are_those_that_the_countries_published() {
        for (country, published) in [
            (Country::De, "2026-01-01 2026-04-03 2026-04-06 2026-05-01 2026-05-14 2026-05-25 2026-12-25"),
            (Country::At, "2026-01-06 2026-06-04 2026-10-26 2026-12-08"),
            (Country::Ch, "2025-08-01 2026-05-14"),
            (Country::Nl, "2026-04-27 2025-04-26 2025-05-05 2026-05-25"),
            (Country::Be, "2026-07-21 2026-11-11"),
            (Country::Fr, "2026-07-14 2026-05-08"),
            (Country::Gb, "2026-12-25 2026-12-28 2027-12-27 2027-12-28 2022-12-26 2022-12-27 2028-01-03 2026-05-04"),
            (Country::Us, "2026-07-03 2026-11-26 2021-12-31 2027-12-24 2026-06-19 2026-10-12"),
        ] {
            for text in published.split(' ') {
                assert!(country.holiday(day(text)).is_some(), "{text} in {}", country.code());
            }
        }
        assert_eq!(Country::De.holiday(day("2026-11-23")), None);
        assert_eq!(Country::Nl.holiday(day("2026-05-05")), None, "a working day but in every fifth year");
        assert_eq!(Country::Nl.holiday(day("2026-04-03")), None, "Good Friday is a working day there");
    }

    #[test]
    fn both_sides_calendars_count_and_the_agencys_own_days_too() {
        let mut calendar = Calendar::of(Country::De).and(Some(Country::At));
        calendar.closed.insert(day("2026-12-24"));
        assert_eq!(calendar.why_closed(day("2026-12-08")).as_deref(), Some("Immaculate Conception (AT)"));
        assert_eq!(calendar.on_or_after(day("2026-12-24")), day("2026-12-28"));
        assert_eq!(calendar.after(day("2026-12-22"), 2), day("2026-12-28"));
        assert_eq!(calendar.on_or_before(day("2026-12-27")), day("2026-12-23"));
        assert_eq!(calendar.count(day("2026-12-21"), day("2026-12-31")), 3 + 4);
    }

    #[test]
    fn a_telephone_number_tells_the_country_where_it_can() {
        assert_eq!(Country::of_phone("+43 1 2345"), Some(Country::At));
        assert_eq!(Country::of_phone("0031-20-555"), Some(Country::Nl));
        assert_eq!(Country::of_phone("+1 555 0100"), None);
        assert_eq!(Country::of_phone("030 555"), None);
    }

    proptest! {
        #[test]
        fn both_ways_to_easter_meet(year in 1583i16..4100) {
            prop_assert_eq!(easter(year), Some(easter_by_gauss(year)));
        }

        #[test]
        fn easter_is_a_sunday_in_its_five_weeks(year in 1583i16..9999) {
            let found = easter(year).expect("Easter");
            prop_assert_eq!(found.weekday(), Weekday::Sunday);
            prop_assert!(found >= date(year, 3, 22) && found <= date(year, 4, 25));
        }

        #[test]
        fn a_due_date_is_always_a_working_day(
            start in 0i64..20_000,
            days in 0u32..300,
            countries in proptest::sample::subsequence(Country::ALL.to_vec(), 0..=3),
        ) {
            let calendar = Calendar { countries: countries.into_iter().collect(), closed: BTreeSet::new() };
            let start = date(2000, 1, 1).checked_add(start.days()).expect("a date");
            let due = calendar.after(start, days);
            prop_assert!(calendar.is_working(due));
            prop_assert!(due >= start);
            // Counting forwards and counting what lies between agree.
            prop_assert_eq!(calendar.count(start, due), days + 1);
            prop_assert!(calendar.after(start, days + 1) > due);
            prop_assert!(calendar.is_working(calendar.on_or_before(start)));
        }
    }
}
