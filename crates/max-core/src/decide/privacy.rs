//! What the law asks: consent, restriction at once, and erasure in two steps by two different hands.
//!
//! An erasure is requested, then approved by a person, then carried out by the engine. From the request on the lead is
//! restricted: nothing automatic is thought or sent. From the approval on the lead folds to an empty shell, so that
//! every readable copy is without personal data before the log itself is blanked.

use jiff::Timestamp;

use super::Deciding;
use super::identity::unknown_asker;
use crate::command::{Command, Incoming};
use crate::error::{Refusal, RefusalKind};
use crate::event::Event;
use crate::id::{ApprovalId, Digest, MessageId, TaskId};
use crate::lead::{
    Approval, ApprovalKind, Basis, Consent, Delivery, Direction, Disclosure, Draft, ErasureRequest, MessageKind,
    Outcome, Purpose, Turn, Wish as DataWish,
};
use crate::stages::Next;

impl Deciding<'_> {
    /// What may be asked of a lead that is erased, or whose erasure waits for a person. True when nothing is left to
    /// decide.
    pub(super) fn privacy_gate(&self) -> Result<bool, Refusal> {
        let command = &self.request.command;
        if self.lead.outcome() == Some(Outcome::Erased) {
            return match command {
                Command::Erase | Command::RequestErasure { .. } | Command::Wake => Ok(true),
                Command::Decide { approval, .. } if self.lead.decided.contains_key(approval) => Ok(false),
                // They are fenced, as by any other end.
                Command::Claim { .. } | Command::Submit { .. } | Command::Fail { .. } => Ok(false),
                _ => Err(self.refuse(RefusalKind::State, "what is erased stays erased")),
            };
        }
        if self.lead.privacy.erasure.is_none() {
            return Ok(false);
        }
        match command {
            Command::Decide { .. }
            | Command::Receive(_)
            | Command::Send { .. }
            | Command::Release { .. }
            | Command::Hold { .. }
            | Command::RecordSent { .. }
            | Command::RecordSendFailure { .. }
            | Command::RecordConsent { .. }
            | Command::Sign { .. }
            | Command::WaiveFinding { .. }
            | Command::ConfirmIdentity { .. }
            | Command::Erase
            | Command::Wake => Ok(false),
            Command::RequestErasure { .. } => Ok(true),
            // Whoever still works on it lost the task when the request came.
            Command::Claim { .. } | Command::Submit { .. } | Command::Fail { .. } => Ok(false),
            _ => Err(self.refuse(RefusalKind::State, "the erasure of its data was asked for; decide that first")),
        }
    }

    pub(super) fn record_consent(&mut self, purpose: Purpose, given: bool, text_version: &str, source: &str) {
        let basis = match (purpose, given) {
            (Purpose::Marketing, _) => Basis::Consent,
            (Purpose::Enquiry, _) => Basis::PreContract,
        };
        let version = text_version.trim();
        let consent = Consent {
            purpose,
            basis,
            given,
            text_version: (!version.is_empty()).then(|| version.to_owned()),
            at: self.fresh.now(),
            source: source.trim().to_owned(),
            ip_hash: None,
        };
        self.events.push(Event::ConsentRecorded { consent });
    }

    pub(super) fn request_erasure(&mut self, reason: &str, asked_by: &str) -> Result<(), Refusal> {
        if !self.request.by.is_person() {
            return Err(self.refuse(RefusalKind::State, "only a person asks for an erasure here"));
        }
        let request = ErasureRequest {
            asked_by: asked_by.trim().to_owned(),
            from_client: false,
            verified: false,
            reason: reason.trim().to_owned(),
            at: self.fresh.now(),
        };
        self.restrict(request);
        Ok(())
    }

    /// The client asks to be forgotten. From the address on file that is a request for a person to decide. From any
    /// other address it is a person's business from the start: nothing is changed, and nothing is said that would tell
    /// a stranger whether there is anything to erase.
    pub(super) fn erasure_wished(&mut self, incoming: &Incoming) {
        if self.lead.privacy.erasure.is_some() {
            return;
        }
        let linked = self.ask_identity(DataWish::Erasure);
        if !self.is_on_file(incoming) {
            let why = if linked {
                "somebody asks for the erasure of data from another address than the one on file; nothing was answered or \
                 changed. A link went to the address on file; wait until it is used, before you do anything"
            } else {
                "somebody asks for the erasure of data from another address than the one on file; nothing was answered or \
                 changed. Write to the address on file and ask, before you do anything"
            };
            if self.lead.outcome().is_none() && self.lead.escalation.is_none() {
                if matches!(self.lead.turn, Turn::AwaitingApproval(_)) {
                    self.leave_turn("somebody asks for erasure");
                }
                self.escalate_unless_open(why);
            }
            return;
        }
        self.restrict(ErasureRequest {
            asked_by: incoming.address.trim().to_owned(),
            from_client: true,
            verified: incoming.verified && incoming.in_reply_to.is_some(),
            reason: String::new(),
            at: self.fresh.now(),
        });
    }

    /// Stops everything automatic and asks a person.
    pub(super) fn restrict(&mut self, request: ErasureRequest) {
        let why = "the erasure of its data was asked for";
        match &self.lead.turn {
            Turn::Working(_) => self.set_work_aside(why),
            _ => self.leave_turn(why),
        }
        self.leave_review(why);
        let then =
            Next::Close { outcome: Outcome::Erased, reason: format!("all data of lead {} is erased", self.lead.id) };
        let now = self.fresh.now();
        let kind = ApprovalKind::Erasure;
        let approval = Approval {
            id: ApprovalId(self.fresh.uuid()),
            kind,
            stage: self.lead.stage,
            // No task led to it.
            task: TaskId(uuid::Uuid::nil()),
            title: erasure_title(self.lead.contact.display_name(), &request),
            payload_sha256: Approval::digest(kind, &[], &[], &then),
            artifacts: Vec::new(),
            outgoing: Vec::new(),
            then,
            requested_at: now,
            due_at: self.policy.approval_due(kind, now, self.lead),
            reminders: 0,
            findings: unknown_asker(&request).into_iter().collect(),
            waived: Vec::new(),
        };
        self.events.push(Event::ErasureRequested { request });
        self.events.push(Event::ApprovalRequested { approval: Box::new(approval) });
    }

    /// A person has decided the pending erasure.
    pub(super) fn erasure_decided(&mut self, approval: ApprovalId, approve: bool) {
        if approve {
            return self.erase(Some(approval));
        }
        // Whoever has taken over goes on by handing back.
        if self.lead.taken_over.is_none() {
            self.go_on_after_rest();
        }
    }

    /// From here on the lead is a shell without personal data; the engine blanks log, files and indexes.
    pub(super) fn erase(&mut self, approval: Option<ApprovalId>) {
        self.events.push(Event::LeadErased {
            at: self.fresh.now(),
            stage: self.lead.stage,
            created_at: self.lead.created_at,
            approval,
        });
    }

    /// Keeps back a message that only the outside could see a reason against.
    pub(super) fn hold(&mut self, id: MessageId, why: &str) -> Result<(), Refusal> {
        match self.lead.messages.iter().find(|m| m.id == id && m.direction == Direction::Out).map(|m| m.delivery) {
            Some(Delivery::Queued | Delivery::Sending) => {
                self.events.push(Event::MessageHeld { message: id, why: why.into() });
                self.escalate_unless_open(&format!("a message could not go out: {why}"));
                Ok(())
            }
            Some(Delivery::Held) => Ok(()),
            Some(other) => Err(self.refuse(RefusalKind::State, format!("message {id} is {} already", other.name()))),
            None => Err(self.refuse(RefusalKind::NotFound, format!("there is no outgoing message {id}"))),
        }
    }

    /// Writes down by which words the client is told that an AI writes, when these words are new to him.
    pub(super) fn record_disclosure(&mut self, message: MessageId, draft: &Draft) {
        if draft.written_by.is_empty() {
            return;
        }
        let said =
            self.policy.disclosures.values().find(|text| !text.trim().is_empty() && draft.body.contains(text.trim()));
        let Some(text) = said.map(|text| text.trim()) else { return };
        let version = Disclosure::version_of(text);
        if self.lead.privacy.disclosures.iter().all(|known| known.version != version) {
            let disclosure = Disclosure { text: text.into(), version, message };
            self.events.push(Event::AiDisclosed { disclosure });
        }
    }

    /// An enquiry that asks for nothing but erasure, from somebody who is not known: a neutral word and a person.
    pub(super) fn stranger_wants_erasure(&mut self) {
        self.events.push(Event::TurnPaused {});
        if !self.lead.contact.email.trim().is_empty() {
            let (subject, body) = neutral_answer(self.lead.contact.locale.as_deref(), &self.lead.contact.message);
            let draft = Draft {
                kind: MessageKind::Receipt,
                subject: subject.into(),
                body: body.into(),
                attachments: Vec::new(),
                written_by: "playbook".into(),
            };
            self.queue(&draft, &[]);
        }
        let why = "somebody whom no lead is known for at this address asks for the erasure of data; find out who it is \
                   before you look anything up or answer";
        self.escalate(why.into(), false);
    }
}

/// One line for the approval queue: what is decided, and how sure it is who asked.
pub(crate) fn erasure_title(name: &str, request: &ErasureRequest) -> String {
    let who = match (request.from_client, request.verified) {
        (true, true) => "the client asked for it, and it is known that it was the client",
        (true, false) => "a mail that names the client's address asked for it; make sure that it was the client",
        (false, _) => "a person of the agency asked for it",
    };
    format!("erase all data of {name} ({who})")
}

/// The moment from which a lead counts as erased, and its shell.
pub(crate) fn shell(lead: &mut crate::lead::Lead, event: &Event) {
    let Event::LeadErased { at, stage, created_at, approval } = event else { return };
    let ending = crate::lead::Ending {
        outcome: Outcome::Erased,
        reason: "its personal data was erased".into(),
        merged_into: None,
        at: *at,
    };
    let empty = empty(lead.id, *stage, *created_at);
    let signals = std::mem::take(&mut lead.signals);
    let decided = approval.iter().map(|id| (*id, true)).collect();
    *lead = crate::lead::Lead {
        version: lead.version,
        chain: lead.chain,
        turn: Turn::Ended(ending),
        signals,
        decided,
        ..empty
    };
}

/// A lead of which nothing is known.
pub(crate) fn empty(id: crate::id::LeadId, stage: crate::stage::Stage, at: Timestamp) -> crate::lead::Lead {
    crate::lead::Lead {
        id,
        version: 0,
        chain: Digest([0; 32]),
        contact: crate::lead::NewLead::default(),
        language: None,
        stage,
        turn: Turn::Paused { since: at },
        data: std::collections::BTreeMap::new(),
        history: Vec::new(),
        messages: Vec::new(),
        artifacts: Vec::new(),
        escalation: None,
        taken_over: None,
        approved_scope: None,
        signature: None,
        deposit_confirmed: false,
        deposit: None,
        accepted_milestones: std::collections::BTreeMap::new(),
        signed_changes: std::collections::BTreeMap::new(),
        lapsed_changes: std::collections::BTreeMap::new(),
        reminded_steps: std::collections::BTreeSet::new(),
        unreachable: None,
        last_wait: None,
        last_submission: None,
        unanswered: 0,
        core_retries: 0,
        signals: std::collections::BTreeSet::new(),
        decided: std::collections::BTreeMap::new(),
        privacy: crate::lead::Privacy::default(),
        created_at: at,
        updated_at: at,
    }
}

/// What may be said to anybody: it neither confirms nor denies that there is anything. It says that a machine wrote it.
fn neutral_answer(locale: Option<&str>, message: &str) -> (&'static str, &'static str) {
    let tag = locale.map_or_else(|| wish_language(message).unwrap_or("en"), |l| l.get(..2).unwrap_or("en"));
    match tag.to_lowercase().as_str() {
        "de" => (
            "Ihre Nachricht ist angekommen",
            "Guten Tag,\n\nvielen Dank für Ihre Nachricht. Ein Mensch unseres Teams sieht sie sich an und antwortet \
             Ihnen.\n\nDiese Nachricht wurde automatisch von einem KI-Assistenten verschickt.",
        ),
        "nl" => (
            "Uw bericht is aangekomen",
            "Goedendag,\n\nhartelijk dank voor uw bericht. Een medewerker van ons team bekijkt het en antwoordt \
             u.\n\nDit bericht is automatisch verstuurd door een AI-assistent.",
        ),
        "fr" => (
            "Votre message est bien arrivé",
            "Bonjour,\n\nmerci pour votre message. Une personne de notre équipe le lira et vous répondra.\n\nCe \
             message a été envoyé automatiquement par un assistant IA.",
        ),
        _ => (
            "We have your message",
            "Hello,\n\nthank you for your message. A person of our team will look at it and answer you.\n\nThis \
             message was sent automatically by an AI assistant.",
        ),
    }
}

/// What is to happen, and to what, in one language. Both have to stand in one sentence.
struct Wish {
    language: &'static str,
    verbs: &'static [&'static str],
    objects: &'static [&'static str],
    rights: &'static [&'static str],
}

const WISHES: [Wish; 4] = [
    Wish {
        language: "en",
        verbs: &["delete", "erase", "remove", "deletion", "erasure", "removal", "wipe", "forget", "destroy"],
        objects: &[
            "my data",
            "my personal data",
            "my information",
            "my personal information",
            "my details",
            "my personal details",
            "data about me",
            "data on me",
            "data you hold about me",
            "data you have about me",
            "data concerning me",
            "everything about me",
            "everything you have about me",
            "everything you hold about me",
            "my records",
            "information about me",
            "all of my data",
            "our data",
            "our personal data",
            "data about us",
        ],
        rights: &[
            "right to be forgotten",
            "right to erasure",
            "right of erasure",
            "article 17 gdpr",
            "gdpr article 17",
            "art 17 gdpr",
        ],
    },
    Wish {
        language: "de",
        verbs: &["lösch", "loesch", "vernicht", "entfern", "vergess"],
        objects: &[
            "meine daten",
            "meiner daten",
            "meine persönlichen daten",
            "meiner persönlichen daten",
            "meine personenbezogenen",
            "meiner personenbezogenen",
            "daten über mich",
            "daten zu meiner person",
            "daten von mir",
            "meine angaben",
            "meine kontaktdaten",
            "unsere daten",
            "unserer daten",
            "alles über mich",
            "mich betreffenden",
        ],
        rights: &["recht auf löschung", "recht auf vergessenwerden", "artikel 17 dsgvo", "art 17 dsgvo"],
    },
    Wish {
        language: "nl",
        verbs: &["verwijder", "wis ", "wissen", "wist", "vernietig", "vergeet"],
        objects: &[
            "mijn gegevens",
            "mijn persoonsgegevens",
            "mijn persoonlijke gegevens",
            "mijn data",
            "gegevens over mij",
            "gegevens van mij",
            "onze gegevens",
            "alles over mij",
        ],
        rights: &["recht op vergetelheid", "recht op gegevenswissing", "artikel 17 avg", "art 17 avg"],
    },
    Wish {
        language: "fr",
        verbs: &["supprim", "effac", "suppression", "détrui", "oubli"],
        objects: &[
            "mes données",
            "mes donnees",
            "mes informations",
            "données me concernant",
            "données qui me concernent",
            "mes coordonnées",
            "nos données",
            "tout ce qui me concerne",
        ],
        rights: &[
            "droit à l'oubli",
            "droit à l’oubli",
            "droit à l'effacement",
            "droit à l’effacement",
            "article 17 du rgpd",
            "article 17 rgpd",
        ],
    },
];

/// Words of somebody who wants this built and not done.
const OF_A_PRODUCT: &[&str] = &[
    "user",
    "customer",
    "visitor",
    "button",
    "feature",
    "page where",
    "app ",
    "nutzer",
    "kunden",
    "funktion",
    "knopf",
    "schaltfläche",
    "gebruiker",
    "klanten",
    "functie",
    "utilisateur",
    "bouton",
    "fonction",
];

/// Whether a message asks to erase the writer's own data. It opens a question for a person and never erases anything,
/// so it may err on the careful side.
pub fn asks_for_erasure(message: &str) -> bool {
    wish_language(message).is_some()
}

/// The sentences of a message, in lower case, that do not speak of something to be built.
pub(super) fn sentences_about_oneself(message: &str) -> Vec<String> {
    // A wish is a sentence or two; nobody hides it behind pages of text, and a long enquiry is read by others.
    let text: String = message.chars().take(4_000).collect::<String>().to_lowercase();
    let text = text.replace(['\r', '\n', '\t', '\u{a0}'], " ");
    // `Art. 15` is no end of a sentence.
    let text = text.replace("art. ", "art ");
    let sentences = text.split(['.', '!', '?', ';']).map(|s| s.split_whitespace().collect::<Vec<_>>().join(" ") + " ");
    sentences.filter(|sentence| !OF_A_PRODUCT.iter().any(|word| sentence.contains(word))).collect()
}

fn wish_language(message: &str) -> Option<&'static str> {
    sentences_about_oneself(message).iter().find_map(|sentence| {
        let has = |words: &[&str]| words.iter().any(|word| sentence.contains(word));
        let wish = WISHES.iter().find(|w| has(w.rights) || (has(w.verbs) && has(w.objects)))?;
        Some(wish.language)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wish_to_be_forgotten_is_understood_in_four_languages() {
        for (text, language) in [
            ("Hello, please delete all my data. Thanks, Jo", "en"),
            ("Under GDPR I ask for the erasure of my personal data.", "en"),
            ("I want to use my right to be forgotten!", "en"),
            ("Guten Tag, bitte löschen Sie alle meine Daten.", "de"),
            ("Ich verlange die Löschung meiner personenbezogenen Daten nach Art. 17 DSGVO.", "de"),
            ("Verwijder alstublieft al mijn gegevens.", "nl"),
            ("Ik doe een beroep op mijn recht op vergetelheid.", "nl"),
            ("Bonjour, veuillez supprimer toutes mes données personnelles.", "fr"),
            ("Je demande l’effacement de mes\ndonnées.", "fr"),
        ] {
            assert_eq!(wish_language(text), Some(language), "{text}");
        }
    }

    #[test]
    fn whoever_wants_it_built_does_not_want_it_done() {
        for text in [
            "We need an app where users can delete my data with one click.",
            "Nutzer sollen sagen können: meine Daten löschen.",
            "Please remove the old logo. Attached is my data sheet.",
            "What happens with my data?",
            "Unsere Kunden wollen ihre Daten löschen.",
            "",
        ] {
            assert!(!asks_for_erasure(text), "{text}");
        }
    }

    #[test]
    fn the_neutral_answer_tells_nothing_and_says_that_a_machine_wrote_it() {
        for (tag, machine) in
            [("en", "AI assistant"), ("de", "KI-Assistent"), ("nl", "AI-assistent"), ("fr", "assistant IA")]
        {
            let (_, body) = neutral_answer(Some(tag), "");
            assert!(body.contains(machine), "{tag}");
            for word in ["data", "Daten", "gegevens", "donn", "delete", "lösch", "found", "no record"] {
                assert!(!body.contains(word), "{tag} says {word}");
            }
        }
    }
}
