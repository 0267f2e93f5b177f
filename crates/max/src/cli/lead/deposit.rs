//! `max lead deposit`: the client's deposit, as it reached the account.

use serde_json::json;

use super::{Context, change};
use crate::exit::{Exit, Failure};

/// Record that the deposit arrived
///
/// It answers the question that waits for it (the same as approving it), and the next stage begins. Recorded a second
/// time, it changes nothing. Without an amount, what came is accepted as it is.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  max lead deposit shop-17
  max lead deposit shop-17 --amount 4284.00 --reference 'statement 12/3' --on 2026-12-03")]
pub struct Args {
    /// The lead's id or reference
    lead: String,
    /// How much arrived, in the contract's currency, with two decimals or none
    #[arg(long, value_name = "AMOUNT")]
    amount: Option<String>,
    /// Where it stands in your books
    #[arg(long, default_value = "")]
    reference: String,
    /// The day on which it arrived
    #[arg(long, value_name = "YYYY-MM-DD")]
    on: Option<jiff::civil::Date>,
}

pub(super) async fn run(args: &Args, context: &Context<'_>) -> Result<Exit, Failure> {
    let mut body = json!({"reference": args.reference});
    if let Some(text) = &args.amount {
        let hint = "write it as 4284.00 or 4284";
        let wrong = || Failure::new(Exit::Usage, format!("`{text}` is no amount")).hint(hint);
        body["amount_minor"] = json!(minor(text).ok_or_else(wrong)?);
    }
    if let Some(day) = args.on {
        body["received_on"] = json!(day);
    }
    change(context, &args.lead, "deposit", &body).await
}

/// `4284.00` and `4284` in cents; nothing for what could be read in two ways.
fn minor(text: &str) -> Option<i64> {
    let (whole, cents) = text.split_once('.').unwrap_or((text, "00"));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || cents.len() != 2 || !digits(whole) || !digits(cents) {
        return None;
    }
    whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(cents.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_read_in_one_way_or_not_at_all() {
        assert_eq!((minor("4284.00"), minor("4284"), minor("0.05")), (Some(428_400), Some(428_400), Some(5)));
        for text in ["4,284", "4.284", "4284.5", "-5", "", ".50", "five", "99999999999999999999"] {
            assert_eq!(minor(text), None, "{text}");
        }
    }
}
