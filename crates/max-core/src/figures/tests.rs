//! Figures as people write them: amounts, percentages and dates in four languages, and texts that mean none.

use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::{Budget, Figure, Money, Percent, Value, budget, find};

fn money(text: &str) -> Vec<(i64, i64, Option<&'static str>)> {
    let of = |figure: Figure| match figure.value {
        Value::Money(Money { low, high, currency }) => Some((low, high, currency)),
        _ => None,
    };
    find(text).into_iter().filter_map(of).collect()
}

fn percent(text: &str) -> Vec<(i64, i64)> {
    let of = |figure: Figure| match figure.value {
        Value::Percent(Percent { low, high }) => Some((low, high)),
        _ => None,
    };
    find(text).into_iter().filter_map(of).collect()
}

fn dates(text: &str) -> Vec<Vec<Date>> {
    let of = |figure: Figure| match figure.value {
        Value::Date(readings) => Some(readings),
        _ => None,
    };
    find(text).into_iter().filter_map(of).collect()
}

#[test]
fn amounts_are_found_in_every_way_of_writing() {
    let one = |text: &str, minor: i64, currency: Option<&'static str>| {
        assert_eq!(money(text), [(minor, minor, currency)], "{text}");
    };
    let eur = Some("EUR");
    for text in [
        "12.500,00 EUR",
        "€12.500",
        "€ 12,500.00",
        "12 500 €",
        "12\u{202f}500,00\u{a0}€",
        "EUR 12'500",
        "12500 Euro",
        "€12.5k",
        "12,5k €",
        "12,5 TEUR",
        "12.5K€",
        "12,5 Tausend Euro",
        "12,5 duizend euro",
        "EUR12500",
        "€ 12.500,-",
        "so 12.500-Euro-Pakete gehen",
        "12,500 euros.",
    ] {
        one(text, 1_250_000, eur);
    }
    one("$1,234.50 all in", 123_450, Some("USD"));
    one("1 234,50 €", 123_450, eur);
    one("US$ 900", 90_000, Some("USD"));
    one("Fr. oder CHF 900.-", 90_000, Some("CHF"));
    one("£2m", 200_000_000, Some("GBP"));
    one("1,5 Mio. Euro", 150_000_000, eur);
    one("2 millions d'euros", 200_000_000, eur);
    one("we have 12k to spend", 1_200_000, None);
    one("maar 1.200,- is te veel", 120_000, None);
    one("€12k", 1_200_000, eur);
    one("0.50 EUR", 50, eur);
}

#[test]
fn ranges_are_one_figure() {
    let one = |text: &str, low: i64, high: i64, currency: Option<&'static str>| {
        assert_eq!(money(text), [(low, high, currency)], "{text}");
    };
    let eur = Some("EUR");
    one("25-30k ex VAT", 2_500_000, 3_000_000, None);
    one("€25k – €30k", 2_500_000, 3_000_000, eur);
    one("zwischen 25.000 und 30.000 Euro", 2_500_000, 3_000_000, eur);
    one("EUR 25 000 bis EUR 30 000", 2_500_000, 3_000_000, eur);
    one("van 25.000 tot 30.000 euro", 2_500_000, 3_000_000, eur);
    one("10-15.000 Euro", 1_000_000, 1_500_000, eur);
    one("de 10 000 à 15 000 €", 1_000_000, 1_500_000, eur);
    one("900 - 1k EUR", 90_000, 100_000, eur);
    assert_eq!(money("100 EUR and 200 USD"), [(10_000, 10_000, eur), (20_000, 20_000, Some("USD"))]);
    assert_eq!(percent("10-20 %"), [(1_000, 2_000)]);
}

#[test]
fn percentages_are_found_in_every_language() {
    for text in ["10 %", "10%", "10 percent", "10 Prozent", "10 procent", "10 pour cent", "10\u{202f}%", "10,0 %"] {
        assert_eq!(percent(text), [(1_000, 1_000)], "{text}");
    }
    assert_eq!(percent("12,5 % oder 7.75%"), [(1_250, 1_250), (775, 775)]);
}

#[test]
fn dates_are_found_in_every_language() {
    let first = date(2027, 3, 1);
    for text in [
        "01.03.2027",
        "1.3.2027",
        "1. 3. 2027",
        "2027-03-01",
        "1 March 2027",
        "1st of March 2027",
        "March 1, 2027",
        "March 1st 2027",
        "1. März 2027",
        "1 maart 2027",
        "1er mars 2027",
        "01.03.27",
        "1 Mar. 2027",
        "2027/03/01",
        "am 1. März 2027.",
    ] {
        assert_eq!(dates(text), [vec![first]], "{text}");
    }
    assert_eq!(dates("by 3/1/2027"), [vec![date(2027, 1, 3), first]]);
    assert_eq!(dates("by 25/12/2027"), [vec![date(2027, 12, 25)]]);
    assert_eq!(dates("31.02.2027"), Vec::<Vec<Date>>::new());
    let values = |text: &str| find(text).into_iter().map(|f| f.value).collect::<Vec<_>>();
    assert_eq!(values("until 3 May, please"), [Value::Day { month: 5, day: 3 }]);
    assert_eq!(values("bis zum 3.5. bitte"), [Value::Day { month: 5, day: 3 }]);
    assert_eq!(values("live in March 2027"), [Value::Month { year: 2027, month: 3 }]);
}

#[test]
fn what_is_no_figure_is_left_alone() {
    for text in [
        "we have 12 rooms",
        "R-001 and B2B",
        "version 1.2.3.4",
        "call +49 30 1234567",
        "4K video",
        "12k users",
        "in 3 weeks",
        "a page of 800 x 600",
        "24/7",
        "192.168.10.1",
        "they may 3 times",
        "room 2 m wide",
        "",
        "ISO 27001",
        "WCAG 2.2",
        "5 t",
    ] {
        assert_eq!(find(text), [], "{text}");
    }
}

#[test]
fn a_figure_says_where_it_stands() {
    let text = "Ünser Büdget: 12.500 € bis 1. März 2027";
    let found = find(text);
    assert_eq!(found.len(), 2);
    assert_eq!(&text[found[0].span.clone()], "12.500 €");
    assert_eq!(&text[found[1].span.clone()], "1. März 2027");
}

#[test]
fn a_budget_says_its_ends_and_whether_it_is_net() {
    let is = |text: &str, low: i64, high: i64, currency: Option<&str>, net: Option<bool>| {
        let expected = Budget { low, high, currency: currency.map(str::to_owned), net };
        assert_eq!(budget(text), Some(expected), "{text}");
    };
    is("25-30k ex VAT", 2_500_000, 3_000_000, None, Some(true));
    is("12.500", 1_250_000, 1_250_000, None, None);
    is("up to 20000", 0, 2_000_000, None, None);
    is("bis zu 20.000 Euro netto", 0, 2_000_000, Some("EUR"), Some(true));
    is("12 000 € TTC", 1_200_000, 1_200_000, Some("EUR"), Some(false));
    is("€ 9.000 excl. btw", 900_000, 900_000, Some("EUR"), Some(true));
    is("8.000 Euro zzgl. MwSt.", 800_000, 800_000, Some("EUR"), Some(true));
    is("25000 - 30000", 2_500_000, 3_000_000, None, None);
    is("We sell cakes at 4 EUR each. Our budget is 9,000 EUR.", 900_000, 900_000, Some("EUR"), None);
    is("We need a shop. Our budget is 12500. Thanks!", 1_250_000, 1_250_000, None, None);
    assert_eq!(budget("Our budget is small. We have 12 rooms."), None);
    assert_eq!(budget("we have 12 rooms"), None);
    assert_eq!(budget("as little as possible"), None);
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in any::<String>()) {
        for figure in find(&text) {
            prop_assert!(text.get(figure.span).is_some());
        }
        let _ = budget(&text);
    }

    #[test]
    fn what_looks_like_figures_is_read_without_a_panic(
        text in r"([0-9€$£%kKmM.,'/ –\-\u{202f}]|EUR|Mio|bis|to|mars|May|1er|ex VAT|budget){0,40}"
    ) {
        let mut last = 0;
        for figure in find(&text) {
            prop_assert!(figure.span.start >= last && text.get(figure.span.clone()).is_some(), "{figure:?}");
            last = figure.span.end;
        }
        let _ = budget(&text);
    }
}
