//! Who asks about a person's data: found out before anything is shown or erased (GDPR, article 12(6)).
//!
//! Whatever address asks, the link goes to the one on file: whoever reads its mail is the person, and whoever does not
//! learns nothing. The link counts once and for three days; what it confirms is confirmed by a form, never by looking.

use jiff::SignedDuration;

use super::Deciding;
use crate::command::Incoming;
use crate::error::{Refusal, RefusalKind};
use crate::event::Event;
use crate::id::Digest;
use crate::lead::{Actor, Draft, ErasureRequest, IdentityCheck, Lead, MessageKind, Wish};
use crate::rules::{Rule, Weight};
use crate::stages::Finding;

/// The rule by which an erasure waits until it is known who asked.
pub(crate) const UNKNOWN_ASKER: &str = "ID-1";

/// What is checked before data is shown to or erased for whoever asks.
pub const RULES: &[Rule] = &[Rule {
    id: UNKNOWN_ASKER,
    says: "an erasure that was asked for by mail waits until the link sent to the address on file was used, or a person \
           says how else he made sure",
    weight: Weight::Blocks,
    check: "decide::identity::unknown_asker",
    test: "id_1_an_erasure_waits_until_it_is_known_who_asked",
}];

/// How long a link counts.
const COUNTS: SignedDuration = SignedDuration::from_hours(72);
/// Who asks again so soon gets no second link.
const AGAIN: SignedDuration = SignedDuration::from_hours(24);

/// What stands against an erasure whose asker is not known.
pub(super) fn unknown_asker(request: &ErasureRequest) -> Option<Finding> {
    (request.from_client && !request.verified).then(|| {
        Finding::new(UNKNOWN_ASKER, "a mail asked for it, and mails are easily sent in somebody else's name")
            .at("asked_by")
            .mend("wait until the link that went to the address on file was used, or waive this and say how you made sure")
    })
}

impl Deciding<'_> {
    /// Sends the link for this wish to the address on file; false when there is no way to send one.
    pub(super) fn ask_identity(&mut self, wish: Wish) -> bool {
        let lead = self.lead;
        if self.policy.portal_url.is_empty() || lead.contact.email.trim().is_empty() {
            return false;
        }
        let now = self.fresh.now();
        let known = lead.privacy.identity.as_ref();
        if known.is_some_and(|c| c.wish == wish && c.confirmed_at.is_none() && now < c.asked_at + AGAIN) {
            return true;
        }
        // One id of a decision must not give away the next one.
        let seed = format!("{} {}", self.fresh.uuid(), self.fresh.uuid());
        let token = Digest::of(seed.as_bytes()).to_string();
        let link = format!("{}/p/confirm/{}/{token}", self.policy.portal_url, lead.id);
        let (subject, body) = words(lead, wish);
        let draft = Draft {
            kind: MessageKind::Identity,
            subject: subject.into(),
            body: body.replace("LINK", &link),
            attachments: Vec::new(),
            written_by: "playbook".into(),
        };
        self.queue(&draft, &[]);
        let check = IdentityCheck {
            wish,
            token: Digest::of(token.as_bytes()),
            asked_at: now,
            expires_at: now + COUNTS,
            confirmed_at: None,
        };
        self.events.push(Event::IdentityAsked { check });
        true
    }

    /// Somebody asks for a copy of his data: nothing is sent but the link, and that to the address on file.
    pub(super) fn export_wished(&mut self, incoming: &Incoming) {
        if !self.ask_identity(Wish::Export) {
            let on_file = self.is_on_file(incoming);
            let from = if on_file { "the address on file" } else { "another address than the one on file" };
            self.escalate_unless_open(&format!(
                "a mail from {from} asks for a copy of the client's data; make sure who it was, then send what \
                 `max lead export` writes to the address on file and to no other"
            ));
        }
    }

    /// True for a message that names the address on file as its sender, whatever that proves.
    pub(super) fn is_on_file(&self, incoming: &Incoming) -> bool {
        let on_file = self.lead.contact.email.trim().to_lowercase();
        !on_file.is_empty() && on_file == incoming.address.trim().to_lowercase()
    }

    pub(super) fn confirm_identity(&mut self, token: &str) -> Result<(), Refusal> {
        if matches!(self.request.by, Actor::Eidolon(_)) {
            return Err(self.refuse(RefusalKind::State, "only the reader of the link confirms it"));
        }
        let token = Digest::of(token.as_bytes());
        let Some(check) = self.lead.privacy.identity.clone().filter(|check| check.token == token) else {
            return Err(self.refuse(RefusalKind::NotFound, "this link was not sent, or a newer one was"));
        };
        if check.confirmed_at.is_some() {
            return Ok(());
        }
        if self.fresh.now() > check.expires_at {
            return Err(self.refuse(RefusalKind::State, "the link is too old; ask again for a new one"));
        }
        self.events.push(Event::IdentityConfirmed {});
        if check.wish == Wish::Erasure && self.lead.privacy.erasure.is_none() {
            // It was asked from another address, so that nothing was stopped for it.
            self.restrict(ErasureRequest {
                asked_by: self.lead.contact.email.trim().to_owned(),
                from_client: true,
                verified: true,
                reason: String::new(),
                at: self.fresh.now(),
            });
        }
        Ok(())
    }
}

/// The same words for every agency: what the law asks is no matter of style. `LINK` stands for the address.
fn words(lead: &Lead, wish: Wish) -> (&'static str, &'static str) {
    let tag = lead.language.as_deref().or(lead.contact.locale.as_deref()).and_then(|l| l.get(..2)).unwrap_or("en");
    match (tag.to_lowercase().as_str(), wish) {
        ("de", Wish::Erasure) => (
            "Bitte bestätigen: Löschung Ihrer Daten",
            "Guten Tag,\n\nbei uns ist die Bitte eingegangen, alle Daten zu löschen, die wir zu dieser Adresse \
             gespeichert haben. Wenn sie von Ihnen kommt, bestätigen Sie sie hier:\n\nLINK\n\nDer Link gilt einmal und \
             drei Tage lang. Wenn Sie nicht gefragt haben, brauchen Sie nichts zu tun; es wird nichts gelöscht.\n\nDiese \
             Nachricht wurde automatisch von einem KI-Assistenten verschickt. Antworten Sie, wenn Sie einen Menschen \
             erreichen möchten.",
        ),
        ("de", Wish::Export) => (
            "Bitte bestätigen: Kopie Ihrer Daten",
            "Guten Tag,\n\nbei uns ist die Bitte um eine Kopie der Daten eingegangen, die wir zu dieser Adresse \
             gespeichert haben. Wenn sie von Ihnen kommt, bestätigen Sie sie hier; dort können Sie die Kopie \
             herunterladen:\n\nLINK\n\nDer Link gilt einmal und drei Tage lang. Wenn Sie nicht gefragt haben, brauchen \
             Sie nichts zu tun; niemand erhält etwas.\n\nDiese Nachricht wurde automatisch von einem KI-Assistenten \
             verschickt. Antworten Sie, wenn Sie einen Menschen erreichen möchten.",
        ),
        ("nl", Wish::Erasure) => (
            "Graag bevestigen: uw gegevens wissen",
            "Goedendag,\n\nwij kregen het verzoek om alle gegevens te wissen die wij bij dit adres bewaren. Komt het van \
             u, bevestig het dan hier:\n\nLINK\n\nDe link geldt één keer en drie dagen lang. Hebt u er niet om gevraagd, \
             dan hoeft u niets te doen; er wordt niets gewist.\n\nDit bericht is automatisch verstuurd door een \
             AI-assistent. Antwoord als u een mens wilt bereiken.",
        ),
        ("nl", Wish::Export) => (
            "Graag bevestigen: kopie van uw gegevens",
            "Goedendag,\n\nwij kregen het verzoek om een kopie van de gegevens die wij bij dit adres bewaren. Komt het van \
             u, bevestig het dan hier; daar kunt u de kopie downloaden:\n\nLINK\n\nDe link geldt één keer en drie dagen \
             lang. Hebt u er niet om gevraagd, dan hoeft u niets te doen; niemand krijgt iets.\n\nDit bericht is \
             automatisch verstuurd door een AI-assistent. Antwoord als u een mens wilt bereiken.",
        ),
        ("fr", Wish::Erasure) => (
            "À confirmer : effacement de vos données",
            "Bonjour,\n\nnous avons reçu une demande d'effacement de toutes les données que nous conservons pour cette \
             adresse. Si elle vient de vous, confirmez-la ici :\n\nLINK\n\nLe lien est valable une seule fois, pendant \
             trois jours. Si vous n'avez rien demandé, vous n'avez rien à faire ; rien ne sera effacé.\n\nCe message a \
             été envoyé automatiquement par un assistant IA. Répondez si vous souhaitez joindre une personne.",
        ),
        ("fr", Wish::Export) => (
            "À confirmer : copie de vos données",
            "Bonjour,\n\nnous avons reçu une demande de copie des données que nous conservons pour cette adresse. Si elle \
             vient de vous, confirmez-la ici ; vous pourrez y télécharger la copie :\n\nLINK\n\nLe lien est valable une \
             seule fois, pendant trois jours. Si vous n'avez rien demandé, vous n'avez rien à faire ; personne ne recevra \
             rien.\n\nCe message a été envoyé automatiquement par un assistant IA. Répondez si vous souhaitez joindre une \
             personne.",
        ),
        (_, Wish::Erasure) => (
            "Please confirm: erasure of your data",
            "Hello,\n\nsomebody asked us to erase all data that we keep for this address. If it was you, confirm it \
             here:\n\nLINK\n\nThe link counts once, and for three days. If you did not ask, you need not do anything; \
             nothing will be erased.\n\nThis message was sent automatically by an AI assistant. Answer it to reach a \
             person.",
        ),
        (_, Wish::Export) => (
            "Please confirm: a copy of your data",
            "Hello,\n\nsomebody asked us for a copy of the data that we keep for this address. If it was you, confirm it \
             here; that page lets you download the copy:\n\nLINK\n\nThe link counts once, and for three days. If you did \
             not ask, you need not do anything; nobody gets anything.\n\nThis message was sent automatically by an AI \
             assistant. Answer it to reach a person.",
        ),
    }
}

/// By which words a person asks for a copy, in one language. Verb and object stand in one sentence.
struct Asking {
    verbs: &'static [&'static str],
    objects: &'static [&'static str],
    rights: &'static [&'static str],
}

const ASKING: [Asking; 4] = [
    Asking {
        verbs: &["copy of", "export of", "send me", "give me", "access to", "which data", "what data"],
        objects: &[
            "my data",
            "my personal data",
            "my information",
            "my personal information",
            "data about me",
            "data on me",
            "data you hold",
            "data you have",
            "you hold about me",
            "you have about me",
            "you store about me",
            "information about me",
        ],
        rights: &[
            "right of access",
            "subject access request",
            "article 15 gdpr",
            "gdpr article 15",
            "data portability",
        ],
    },
    Asking {
        verbs: &["kopie", "schicken sie mir", "senden sie mir", "auskunft", "welche daten", "schick mir", "zusenden"],
        objects: &[
            "meine daten",
            "meiner daten",
            "meine persönlichen daten",
            "meiner persönlichen daten",
            "meine personenbezogenen",
            "meiner personenbezogenen",
            "daten über mich",
            "daten sie über mich",
            "daten zu meiner person",
            "über mich gespeichert",
        ],
        rights: &["recht auf auskunft", "auskunft nach art", "artikel 15 dsgvo", "art 15 dsgvo"],
    },
    Asking {
        verbs: &["kopie", "stuur mij", "stuur me", "inzage", "welke gegevens", "toesturen"],
        objects: &[
            "mijn gegevens",
            "mijn persoonsgegevens",
            "mijn persoonlijke gegevens",
            "mijn data",
            "gegevens over mij",
            "gegevens van mij",
            "over mij bewaart",
        ],
        rights: &["recht op inzage", "inzageverzoek", "artikel 15 avg", "art 15 avg"],
    },
    Asking {
        verbs: &["copie", "envoyez-moi", "envoyer", "accès à", "quelles données"],
        objects: &[
            "mes données",
            "mes donnees",
            "mes informations",
            "données me concernant",
            "données qui me concernent",
            "sur moi",
        ],
        rights: &["droit d'accès", "droit d’accès", "article 15 du rgpd", "article 15 rgpd", "portabilité"],
    },
];

/// Whether a message asks for a copy of the writer's own data.
pub fn asks_for_export(message: &str) -> bool {
    super::privacy::sentences_about_oneself(message).iter().any(|sentence| {
        let has = |words: &[&str]| words.iter().any(|word| sentence.contains(word));
        ASKING.iter().any(|asking| has(asking.rights) || (has(asking.verbs) && has(asking.objects)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wish_for_a_copy_is_understood_in_four_languages() {
        for text in [
            "Hello, please send me all my data. Thanks, Jo",
            "I make a subject access request.",
            "What data do you have about me?",
            "Bitte schicken Sie mir eine Kopie meiner Daten.",
            "Ich verlange Auskunft nach Art. 15 DSGVO!",
            "Graag inzage in mijn gegevens.",
            "Je souhaite une copie de mes données.",
        ] {
            assert!(asks_for_export(text), "{text}");
        }
        for text in [
            "Users shall get a copy of my data with one button.",
            "Please send me the contract.",
            "Our customers export their orders.",
            "Bitte schicken Sie mir das Angebot.",
            "",
        ] {
            assert!(!asks_for_export(text), "{text}");
        }
    }
}
