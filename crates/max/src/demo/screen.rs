//! What a person sees of the demonstration: a bar for each lead through the seven stages, or plain lines where stderr
//! is no terminal.

use std::cell::RefCell;
use std::io::IsTerminal;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use max_core::lead::Status;
use max_core::stage::Stage;
use serde_json::Value;

use crate::cli::Output;
use crate::simulate::cast::Audience;
use crate::wire::LeadView;

/// The picture.
pub struct Screen {
    output: Output,
    bars: Option<MultiProgress>,
    leads: RefCell<Vec<Line>>,
    verbose: bool,
}

struct Line {
    name: &'static str,
    bar: ProgressBar,
    /// What was shown last, so that nothing is shown twice.
    last: String,
    /// The stage that was told last where there are no bars.
    told: Option<Stage>,
}

impl Screen {
    /// A picture of leads with these names.
    pub fn new(output: Output, verbose: bool, names: &[&'static str]) -> Self {
        let bars = std::io::stderr()
            .is_terminal()
            .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(20)));
        let style = ProgressStyle::with_template("{prefix:14} {bar:21} {wide_msg}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("██░");
        let leads = names
            .iter()
            .map(|name| {
                let bar = ProgressBar::new(Stage::ALL.len() as u64).with_style(style.clone()).with_prefix(*name);
                let bar = bars.as_ref().map_or_else(ProgressBar::hidden, |bars| bars.add(bar));
                Line { name, bar, last: String::new(), told: None }
            })
            .collect();
        Self { output, bars, leads: RefCell::new(leads), verbose }
    }

    /// Leaves the picture as it is.
    pub fn finish(&self) {
        for line in self.leads.borrow().iter() {
            line.bar.abandon();
        }
    }

    fn say(&self, text: &str) {
        match &self.bars {
            Some(bars) => bars.suspend(|| self.output.say(text)),
            None => self.output.say(text),
        }
    }
}

impl Audience for Screen {
    fn see(&self, player: usize, view: &LeadView) {
        let state = &view.state;
        let outcome = state.data.get("outcome").and_then(Value::as_str);
        let text = match outcome {
            Some(outcome) => outcome.to_owned(),
            None => format!("{}: {}", state.current_stage, crate::cli::plain(&state.next_action)),
        };
        let mut leads = self.leads.borrow_mut();
        let Some(line) = leads.get_mut(player) else { return };
        if line.last == text {
            return;
        }
        let done = state.status == Status::Completed && outcome == Some("delivered");
        let position = if done { 7 } else { u64::from(state.current_stage.number()) - 1 };
        line.bar.set_position(position);
        line.bar.set_message(text.clone());
        // Without bars a line for each stage, each wait and the end is enough.
        if self.bars.is_none() && (state.status != Status::InProgress || line.told != Some(state.current_stage)) {
            self.output.say(&format!("{:14} {text}", line.name));
            line.told = Some(state.current_stage);
        }
        line.last = text;
    }

    fn hear(&self, player: usize, at: Timestamp, words: &str) {
        if self.verbose {
            let name = self.leads.borrow().get(player).map_or("", |line| line.name);
            self.say(&format!("{} {name:14} {}", at.strftime("%Y-%m-%d %H:%M"), crate::cli::plain(words)));
        }
    }
}
