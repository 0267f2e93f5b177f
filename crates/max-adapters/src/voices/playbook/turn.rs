//! One turn as the stages see it: the brief, the language, what the client said, and how to write back.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use max_core::id::Digest;
use max_core::lead::{ClientAsk, Direction, Draft, Lead, Message, MessageKind, TaskReason};
use max_core::policy::{Policy, Service};
use max_core::prose::{self, Address};
use max_core::stage::Stage;
use max_core::stages::closer::{self, Proposal};
use max_core::stages::scoping::Scope;
use max_core::stages::{Answer, NeedsPerson, StageResult, Withdrawn};
use max_documents::doc::Doc;
use max_documents::{Lang, Letterhead, RenderError};
use max_engine::ports::{Brief, CallFail, File, Thought};
use minijinja::{Value, context};
use serde::Serialize;

use super::text::{self, Said};
use super::{NAME, intent, wishes};
use crate::agency::{Agency, AgencyError};
use crate::steps::Ran;

/// At most this much of one message is read. No message that is taken in is longer, so none is cut.
const READ_AT_MOST: usize = 1 << 20;

/// One turn.
pub struct Turn<'a> {
    pub brief: &'a Brief,
    pub agency: &'a Agency,
    pub lead: &'a Lead,
    pub policy: &'a Policy,
    /// The language to write in: the client's, else English.
    pub lang: Lang,
    /// What the programs of onboarding made.
    pub ran: Ran,
    /// The client's language (BCP 47), whether or not it is one of ours.
    pub tag: String,
}

/// Something the client said: the id of the message (`lead` for the first one) and its text.
pub struct Words {
    pub source: String,
    pub text: String,
}

impl<'a> Turn<'a> {
    pub fn new(brief: &'a Brief, agency: &'a Agency) -> Self {
        let lead = &*brief.lead;
        // In LeadGen only the locale is known, which the message itself may contradict.
        let known = (lead.stage != Stage::LeadGen).then_some(lead.language.as_deref()).flatten();
        let tag = known.map_or_else(|| super::lead_gen::language(lead), str::to_owned);
        let lang = ours(agency, &tag).unwrap_or(Lang::En);
        Self { brief, agency, lead, policy: &brief.policy, lang, tag, ran: Ran::default() }
    }

    // ---- what the client said -----------------------------------------------------------------------------------

    /// Everything the client said, oldest first.
    pub fn said(&self) -> Vec<Words> {
        let first = self.lead.messages.first().map(|m| m.id);
        let opening = Words {
            source: "lead".into(),
            text: prose::unwrapped(text::head(&self.lead.contact.message, READ_AT_MOST)),
        };
        let later = self.brief.messages.iter().filter(|m| Some(m.id) != first && is_word(m)).map(words);
        std::iter::once(opening).chain(later).collect()
    }

    /// Everything the client said as one text, for looking up words.
    pub fn all_said(&self) -> Said {
        let mut all = String::new();
        for words in self.said() {
            all.push_str(&words.text);
            all.push('\n');
        }
        Said::new(text::head(&all, 3 * READ_AT_MOST))
    }

    /// What the client said after the last message to them, if anything.
    pub fn news(&self) -> Option<String> {
        let first = self.lead.messages.first().map(|m| m.id);
        let new: Vec<String> = self
            .brief
            .messages
            .iter()
            .rev()
            // A receipt is no answer.
            .filter(|m| m.kind != MessageKind::Receipt)
            .take_while(|m| m.direction == Direction::In)
            .filter(|m| Some(m.id) != first && is_word(m))
            .map(|m| prose::unwrapped(text::head(&m.body, READ_AT_MOST)))
            .collect();
        (!new.is_empty()).then(|| new.into_iter().rev().collect::<Vec<_>>().join("\n"))
    }

    /// The English name of the client's language, when it is one that the playbook neither reads nor writes.
    pub fn foreign_language(&self) -> Option<&'static str> {
        ours(self.agency, &self.tag).is_none().then(|| language_name(&self.tag))
    }

    /// The same for what the client just said.
    fn foreign_news(&self) -> Option<&'static str> {
        let tag = super::lead_gen::language_of(&self.news()?, Some(self.lead.language.clone()?));
        ours(self.agency, &tag).is_none().then(|| language_name(&tag))
    }

    /// True when the client says du, je or tu. The first message decides; who is silent there may decide later.
    pub fn informal(&self) -> bool {
        let form = |text: &str| prose::address(text, self.lang.tag());
        let own = ours(self.agency, &self.tag).is_some();
        let first = form(&self.lead.contact.message);
        own && first.or_else(|| form(&self.all_said().original)) == Some(Address::Informal)
    }

    /// The languages that are read here, in English: `English, German and French`.
    fn languages(&self) -> String {
        let names: Vec<&str> = self.agency.profile.languages.iter().map(|l| language_name(l.tag())).collect();
        match names.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
            None => "English".to_owned(),
        }
    }

    /// A message that the playbook cannot read is for a person, who says "retry" when it was dealt with.
    pub fn unread(&self) -> Option<Thought> {
        let looked_at = matches!(self.brief.task.reason, TaskReason::Retried);
        let language = self.foreign_news().filter(|_| !looked_at)?;
        Some(needs_person(&format!(
            "the client wrote in {language}, which the playbook cannot read; read it, answer, then hand on or retry"
        )))
    }

    /// True once somebody has written to the client.
    pub fn has_written(&self) -> bool {
        self.brief.messages.iter().any(|m| m.direction == Direction::Out && m.kind != MessageKind::Receipt)
    }

    /// What a person of the agency asked for when rejecting the last try.
    pub fn rejection(&self) -> Option<String> {
        match &self.brief.task.reason {
            TaskReason::Rejected { reason } => Some(text::tame(reason, 400)).filter(|r| !r.is_empty()),
            _ => None,
        }
    }

    // ---- what is known ------------------------------------------------------------------------------------------

    pub fn scope(&self) -> Option<Scope> {
        self.lead.stage_value(Stage::Scoping, "scope")
    }

    /// The newest offer, with the option that the contract stands on once there is one.
    pub fn proposal(&self) -> Option<Proposal> {
        closer::agreed(self.lead)
    }

    /// The services by the policy, else the agency's own.
    pub fn services(&self) -> Vec<Service> {
        if self.policy.services.is_empty() { self.agency.services() } else { self.policy.services.clone() }
    }

    /// The services the client asks for, in the order in which they are named.
    pub fn wanted(&self) -> Vec<Service> {
        self.wanted_in(&self.all_said().original)
    }

    /// The services that a text asks for. What it says no to does not count.
    pub fn wanted_in(&self, text: &str) -> Vec<Service> {
        let said = Said::new(wishes::affirmed(text));
        let place = |s: &Service| s.keywords.iter().filter_map(|k| said.position(k)).min();
        let mut wanted: Vec<(usize, Service)> =
            self.services().into_iter().filter_map(|s| Some((place(&s)?, s))).collect();
        wanted.sort_by_key(|(at, _)| *at);
        wanted.into_iter().map(|(_, s)| s).collect()
    }

    pub fn today(&self) -> Date {
        let zone = TimeZone::get(&self.agency.profile.time_zone).unwrap_or(TimeZone::UTC);
        self.brief.now.to_zoned(zone).date()
    }

    /// The client as a company, else as a person.
    pub fn client(&self) -> String {
        let company = self.lead.contact.company.as_deref().map(|c| text::tame(c, 80)).unwrap_or_default();
        if company.is_empty() { self.person_or_client() } else { company }
    }

    fn person_or_client(&self) -> String {
        let person = self.person();
        if person.is_empty() {
            self.lang.pick(["the client", "der Kunde", "de klant", "le client"]).into()
        } else {
            person
        }
    }

    /// The person's name as far as it looks like one, or nothing: a greeting is no place for links or questions.
    pub fn person(&self) -> String {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | ',' | '\'' | '’');
        // What is left out leaves a gap: two characters that were apart must not become a word, or a price.
        let name = text::tame(&self.lead.contact.name, 60).replace(|c| !plain(c), " ");
        name.split_whitespace().take(6).collect::<Vec<_>>().join(" ")
    }

    /// The project's name: the scope's, else service and client.
    pub fn project(&self) -> String {
        if let Some(scope) = self.scope() {
            return scope.title;
        }
        let wanted = self.wanted();
        let service = wanted.iter().find(|s| s.offered).map(|s| self.agency.service_name(&s.id, self.lang));
        let (project, joined) =
            self.lang.pick([("Project", "for"), ("Projekt", "für"), ("Project", "voor"), ("Projet", "pour")]);
        format!("{} {joined} {}", service.unwrap_or(project), self.client())
    }

    pub fn head(&self) -> Letterhead {
        let profile = &self.agency.profile;
        Letterhead {
            agency: profile.name.clone(),
            agency_address: profile.address.join(", "),
            agency_mail: profile.mail.clone(),
            client: self.client(),
            person: self.person_or_client(),
            disclosure: self.agency.disclosure(self.lang).to_owned(),
            date: self.today(),
        }
    }

    // ---- writing back -------------------------------------------------------------------------------------------

    /// A mail from a template. Nothing for a lead without an address: there is nobody to send it to.
    pub fn mail(&self, kind: MessageKind, template: &str, slots: Value) -> Result<Vec<Draft>, CallFail> {
        if self.lead.contact.email.trim().is_empty() && kind == MessageKind::Decline {
            return Ok(Vec::new());
        }
        let profile = &self.agency.profile;
        let common = context! {
            person => self.person(),
            agency => profile.name.as_str(),
            agency_mail => profile.mail.as_str(),
            contact => profile.contact.as_str(),
            privacy => profile.privacy.as_str(),
            persona => self.agency.persona(self.brief.task.eidolon),
            disclosure => self.agency.disclosure(self.lang),
            project => self.project(),
            languages => self.languages(),
        };
        let slots = context! { ..slots, ..common };
        let mail = self.agency.mail(self.lang, self.informal(), template, slots);
        let (subject, body) = mail.map_err(unusable)?;
        let subject = text::tame(&subject, 140);
        let attachments = Vec::new();
        Ok(vec![Draft { kind, subject, body, attachments, written_by: NAME.into() }])
    }

    /// The same with files.
    pub fn mail_with(
        &self,
        kind: MessageKind,
        template: &str,
        slots: Value,
        attachments: &[&str],
    ) -> Result<Vec<Draft>, CallFail> {
        let mut drafts = self.mail(kind, template, slots)?;
        for draft in &mut drafts {
            draft.attachments = attachments.iter().map(|a| (*a).to_owned()).collect();
        }
        Ok(drafts)
    }

    /// True when this text stands in the conversation already.
    pub fn was_said(&self, body: &str) -> bool {
        let digest = Digest::of(body.as_bytes());
        self.lead.messages.iter().any(|m| m.text == digest)
    }

    /// A document for the stage's folder: `<name>.json`, which it is rendered from, and `.md`, `.html` and `.pdf`.
    ///
    /// Fills in how it came to be, as far as the caller left that open.
    pub fn document<T: Serialize>(&self, name: &str, value: &T, mut doc: Doc) -> Result<Vec<File>, CallFail> {
        let source = json(&format!("{name}.json"), value)?;
        let digest = Digest::of(&source.bytes);
        doc.meta.version = match self.lead.artifact(self.lead.stage, &source.name) {
            None => 1,
            Some(last) if last.sha256 == digest => last.version,
            Some(last) => last.version + 1,
        };
        let mut files = vec![source];
        files.extend(self.forms(name, digest, doc)?);
        Ok(files)
    }

    /// A document that was made from the file with this digest, as `.md`, `.html` and `.pdf`.
    pub fn forms(&self, name: &str, source: Digest, mut doc: Doc) -> Result<[File; 3], CallFail> {
        let meta = &mut doc.meta;
        meta.source = Some(source);
        for (field, value) in [
            (&mut meta.persona, self.agency.persona(self.brief.task.eidolon)),
            (&mut meta.voice, NAME),
            (&mut meta.approver, self.agency.profile.contact.as_str()),
        ] {
            if field.is_empty() {
                value.clone_into(field);
            }
        }
        let rendered = doc.render().map_err(unwritable)?;
        Ok([
            file(format!("{name}.md"), rendered.markdown),
            file(format!("{name}.html"), rendered.html),
            file(format!("{name}.pdf"), rendered.pdf),
        ])
    }

    // ---- results that any stage may give ------------------------------------------------------------------------

    /// The client said no.
    pub fn withdrawn(&self, words: &str) -> Result<Thought, CallFail> {
        if self.lead.signature.is_some() {
            return Ok(needs_person("the client wants to stop after signing; talk to them about termination"));
        }
        let reason = text::tame(words, 200);
        let reason = if reason.is_empty() { "the client said no".to_owned() } else { reason };
        Ok(Thought {
            summary: format!("The client withdrew: {reason}"),
            result: StageResult::Withdrawn(Withdrawn { reason }),
            messages: self.mail(MessageKind::Reply, "withdrawn", context! {})?,
            files: Vec::new(),
        })
    }

    /// An answer while the wait goes on: the truth about who writes, or a note that the message was taken in.
    pub fn answer(&self, words: &str, ask: ClientAsk, reminder: &str) -> Result<Thought, CallFail> {
        let template = if intent::asks_for_a_human(words) { "human" } else { "keep-talking" };
        Ok(Thought {
            result: StageResult::Answer(Answer { ask }),
            messages: self.mail(MessageKind::Reply, template, context! { ask => reminder })?,
            files: Vec::new(),
            summary: format!("Answered the client, who wrote: {}", text::tame(words, 200)),
        })
    }

    /// Nothing is new: what was asked stays asked, and nobody is written to.
    pub fn keep_waiting(&self, ask: ClientAsk) -> Thought {
        Thought {
            summary: format!("Still waiting for the client's {}", ask.sentence()),
            result: StageResult::Answer(Answer { ask }),
            messages: Vec::new(),
            files: Vec::new(),
        }
    }
}

/// The language of a tag where the agency answers in it.
fn ours(agency: &Agency, tag: &str) -> Option<Lang> {
    Lang::of_tag(tag).filter(|lang| agency.profile.languages.contains(lang))
}

fn language_name(tag: &str) -> &'static str {
    match prose::primary(tag) {
        "en" => "English",
        "de" => "German",
        "fr" => "French",
        "es" => "Spanish",
        "it" => "Italian",
        "pt" => "Portuguese",
        "nl" => "Dutch",
        "pl" => "Polish",
        "cs" => "Czech",
        "hu" => "Hungarian",
        "ro" => "Romanian",
        "el" => "Greek",
        "ru" => "Russian",
        "uk" => "Ukrainian",
        "tr" => "Turkish",
        "sv" => "Swedish",
        "da" => "Danish",
        "nb" => "Norwegian",
        "fi" => "Finnish",
        "ar" => "Arabic",
        "fa" => "Persian",
        "he" => "Hebrew",
        "hi" => "Hindi",
        "ja" => "Japanese",
        "zh" => "Chinese",
        "ko" => "Korean",
        _ => "another language",
    }
}

/// The playbook is out of its depth.
pub fn needs_person(reason: &str) -> Thought {
    Thought {
        result: StageResult::NeedsPerson(NeedsPerson { reason: reason.into() }),
        messages: Vec::new(),
        files: Vec::new(),
        summary: format!("A person is needed: {reason}"),
    }
}

/// A file for the stage's folder.
pub fn file(name: impl Into<String>, text: impl Into<Vec<u8>>) -> File {
    File { name: name.into(), bytes: text.into() }
}

/// A typed result as a readable file.
pub fn json<T: Serialize>(name: &str, value: &T) -> Result<File, CallFail> {
    let text = serde_json::to_string_pretty(value).map_err(|e| CallFail::Unable(format!("{name}: {e}")))?;
    Ok(file(name, text + "\n"))
}

/// A file of the agency that cannot be used: no other try helps.
pub fn unusable(error: AgencyError) -> CallFail {
    CallFail::Unable(error.to_string())
}

/// A document that cannot be written: no other try helps.
pub fn unwritable(error: RenderError) -> CallFail {
    CallFail::Unable(error.to_string())
}

fn is_word(message: &Message) -> bool {
    message.direction == Direction::In
        && !matches!(message.kind, MessageKind::OutOfOffice | MessageKind::Bounce | MessageKind::OptOut)
}

fn words(message: &Message) -> Words {
    Words { source: message.id.to_string(), text: prose::unwrapped(text::head(&message.body, READ_AT_MOST)) }
}
