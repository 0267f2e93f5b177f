//! The client's page as HTML: escaped by `maud`, without script, at home on a phone.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{DOCTYPE, Markup, html};
use max_core::lead::{ArtifactRef, ClientAsk, Direction, Signature, Turn, Wish};
use max_core::stages::delivery_pm::open_order;
use max_core::stages::onboarding::StepState;
use max_engine::view::MessageView;

use super::Portal;
use super::visit::{Visit, shown};
use super::words::{document as called, word};

/// What is said about what the visitor just tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// Nothing was tried.
    None,
    /// A name is missing.
    NoName,
    /// The consent is missing.
    NoConsent,
    /// Nothing shows that the step is done.
    NoProof,
    /// The message is empty.
    NoMessage,
    /// What was asked for is not what is asked for now.
    Stale,
}

impl Notice {
    fn key(self) -> Option<&'static str> {
        match self {
            Notice::None => None,
            Notice::NoName => Some("no_name"),
            Notice::NoConsent => Some("no_consent"),
            Notice::NoProof => Some("no_proof"),
            Notice::NoMessage => Some("no_message"),
            Notice::Stale => Some("stale"),
        }
    }
}

/// The page of a lead.
pub(super) fn page(portal: &Portal, visit: &Visit, notice: Notice) -> Markup {
    let t = |key: &str| word(visit.lang, key);
    let base = portal.path(visit.lead.id);
    let house = &portal.house;
    let contact = &visit.lead.contact;
    let client = contact.company.as_deref().filter(|c| !c.trim().is_empty()).unwrap_or(contact.display_name());
    html! {
        (DOCTYPE)
        html lang=(visit.lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex, nofollow";
                meta name="referrer" content="no-referrer";
                title { (t("title")) " · " (house.name) }
                link rel="stylesheet" href="/p/portal.css";
                link rel="icon" href="data:,";
            }
            body {
                a class="skip" href="#main" { (t("skip")) }
                header { p class="house" { (house.name) } }
                main id="main" tabindex="-1" {
                    h1 { (t("title")) }
                    p class="client" { (t("for")) " " bdi { (client) } }
                    @if let Some(key) = notice.key() { p class="alert" role="alert" { (t(key)) } }
                    p class="done" id="written" role="status" { (t("written")) }
                    p class="done" id="marked" role="status" { (t("marked")) }
                    @if signatures(visit).next().is_some() { p class="done" id="signed" role="status" { (t("thanks")) } }
                    section aria-labelledby="now" class="now" { h2 id="now" { (t("now")) } p { (t(waits(visit))) } }
                    @if let Some(ask) = visit.ask() { (signing(portal, visit, ask, &base)) }
                    (deposit(visit))
                    (steps(portal, visit, &base))
                    (documents(visit, &base))
                    (signed(visit))
                    (lapsed(visit))
                    (conversation(portal, visit, &base))
                }
                footer {
                    p { (house.disclosure[visit.lang as usize]) }
                    p {
                        a href={"mailto:" (house.mail)} { (house.mail) }
                        @if house.privacy.starts_with("https://") || house.privacy.starts_with("http://") {
                            " · " a href=(house.privacy) rel="noreferrer noopener" { (t("privacy")) }
                        } @else if !house.privacy.is_empty() { " · " (t("privacy")) ": " (house.privacy) }
                    }
                    p { (t("private")) }
                }
            }
        }
    }
}

/// The key of the sentence that says whose turn it is.
fn waits(visit: &Visit) -> &'static str {
    match (visit.ask(), &visit.lead.turn) {
        (Some(ask), _) if ask.document().is_some() => "wait_signature",
        (Some(ClientAsk::Answers), _) => "wait_answers",
        (Some(ClientAsk::Decision), _) => "wait_decision",
        (Some(_), _) => "wait_reply",
        (None, Turn::Ended(_)) => "wait_end",
        (None, _) => "wait_us",
    }
}

fn signing(portal: &Portal, visit: &Visit, ask: &ClientAsk, base: &str) -> Markup {
    let t = |key: &str| word(visit.lang, key);
    let Some(document) = ask.document() else { return html! {} };
    let slip = portal.key.slip(visit.lead.id, "sign", document);
    // Nobody signs what he cannot read: without the very file there is no form.
    let Some(file) = visit.document(document) else { return html! {} };
    html! {
        section aria-labelledby="sign" class="sign" {
            h2 id="sign" { (t("sign_head")) ": " (what(visit, ask)) }
            p { (t("sign_lead")) }
            p class="hash" { code { (document) } }
            p { a class="button quiet" href=(href(base, file)) { (t("read_it")) ": " (called(visit.lang, &file.name)) } }
            @if let Some(day) = valid_until(visit, ask) { p { (t("valid_until")) " " strong { (visit.lang.date(day)) } "." } }
            form method="post" action={(base) "/sign"} {
                input type="hidden" name="document" value=(document);
                input type="hidden" name="slip" value=(slip);
                label for="name" { (t("your_name")) }
                input type="text" id="name" name="name" required maxlength="200" autocomplete="name";
                label class="check" { input type="checkbox" name="consent" value="yes" required; span { (t("consent")) } }
                button type="submit" { (t("sign_now")) }
            }
        }
    }
}

/// The last day on which it may be signed, where it has one.
fn valid_until(visit: &Visit, ask: &ClientAsk) -> Option<jiff::civil::Date> {
    let ClientAsk::ChangeOrder { number, .. } = ask else { return None };
    open_order(&visit.lead).filter(|o| o.order.number == *number).map(|o| o.order.valid_until)
}

/// What the client pays before the work begins, and whether it is there.
fn deposit(visit: &Visit) -> Markup {
    let t = |key: &str| word(visit.lang, key);
    let Some(asked) = visit.deposit() else { return html! {} };
    let invoice = asked.invoice.as_ref();
    html! {
        section aria-labelledby="deposit" {
            h2 id="deposit" { (t("deposit")) }
            @if visit.lead.deposit_confirmed {
                p { (t("deposit_there")) }
            } @else {
                p { (t("deposit_asked")) }
                ul class="files" {
                    li { span { (t("deposit_amount")) } strong { (visit.lang.money(asked.deposit_minor, &asked.currency)) } }
                    @if let Some(invoice) = invoice {
                        li { span { (t("deposit_reference")) } code { (invoice.payment_reference) } }
                        li { span { (t("deposit_due")) } span { (visit.lang.date(invoice.due)) } }
                    }
                }
            }
        }
    }
}

/// What the client does himself, each with a form while it is open.
fn steps(portal: &Portal, visit: &Visit, base: &str) -> Markup {
    let t = |key: &str| word(visit.lang, key);
    let steps = visit.steps();
    html! {
        @if !steps.is_empty() {
            section aria-labelledby="steps" {
                h2 id="steps" { (t("steps")) }
                @for step in &steps { article class=(if step.state == StepState::Done { "ours" } else { "yours" }) {
                    h3 { (step.id) " " bdi { (step.title) } }
                    @if step.state == StepState::Done {
                        p class="quiet" { (t("step_done")) ": " bdi { (step.proof) } }
                    } @else {
                        p { (step.instructions) }
                        @if let Some(due) = step.due { p class="quiet" { (t("step_due")) " " (visit.lang.date(due)) } }
                        form method="post" action={(base) "/steps"} {
                            input type="hidden" name="step" value=(step.id);
                            input type="hidden" name="slip" value=(portal.key.slip(visit.lead.id, "step", shown(step)));
                            label for={"proof-" (step.id)} { (t("step_proof")) }
                            input type="text" id={"proof-" (step.id)} name="proof" required maxlength="2000";
                            button type="submit" class="quiet" { (t("step_mark")) }
                        }
                    }
                } }
            }
        }
    }
}

/// Change orders that nobody can sign any more.
fn lapsed(visit: &Visit) -> Markup {
    let t = |key: &str| word(visit.lang, key);
    html! {
        @if !visit.lead.lapsed_changes.is_empty() {
            section aria-labelledby="lapsed" {
                h2 id="lapsed" { (t("lapsed")) }
                p { (t("lapsed_lead")) }
                ul class="files" {
                    @for (number, day) in &visit.lead.lapsed_changes {
                        li { span { (t("sign_change")) " CO-" (number) }
                            span class="quiet" { (t("lapsed_on")) " " (visit.lang.date(*day)) } }
                    }
                }
            }
        }
    }
}

/// What is signed, in a word.
fn what(visit: &Visit, ask: &ClientAsk) -> String {
    let t = |key: &str| word(visit.lang, key);
    match ask {
        ClientAsk::Signature { .. } => t("sign_contract").to_owned(),
        ClientAsk::Milestone { id, .. } => format!("{} {id}", t("sign_milestone")),
        ClientAsk::ChangeOrder { number, .. } => format!("{} CO-{number}", t("sign_change")),
        _ => String::new(),
    }
}

fn documents(visit: &Visit, base: &str) -> Markup {
    let t = |key: &str| word(visit.lang, key);
    let mockup = visit.documents.iter().find(|d| d.name == "mockup.html");
    html! {
        section aria-labelledby="documents" {
            h2 id="documents" { (t("documents")) }
            @if visit.documents.is_empty() { p class="quiet" { (t("no_documents")) } }
            ul class="files" {
                @for document in &visit.documents {
                    li {
                        a href=(href(base, document)) { (called(visit.lang, &document.name)) }
                        span class="quiet" { (t("version")) " " (document.version) }
                    }
                }
            }
            @if let Some(mockup) = mockup {
                details {
                    summary { (t("look_inside")) }
                    iframe sandbox="" loading="lazy" referrerpolicy="no-referrer" title=(t("mockup")) src=(href(base, mockup)) {}
                }
            }
        }
    }
}

fn href(base: &str, document: &ArtifactRef) -> String {
    format!("{base}/files/{}/{}", document.stage.folder(), document.name)
}

fn signatures(visit: &Visit) -> impl Iterator<Item = (String, &Signature)> {
    let contract = visit.lead.signature.iter().map(|s| (word(visit.lang, "sign_contract").to_owned(), s));
    let milestones = visit.lead.accepted_milestones.iter();
    let changes = visit.lead.signed_changes.iter();
    contract
        .chain(milestones.map(|(id, s)| (format!("{} {id}", word(visit.lang, "sign_milestone")), s)))
        .chain(changes.map(|(number, s)| (format!("{} CO-{number}", word(visit.lang, "sign_change")), s)))
}

fn signed(visit: &Visit) -> Markup {
    let t = |key: &str| word(visit.lang, key);
    html! {
        @if signatures(visit).next().is_some() {
            section aria-labelledby="given" {
                h2 id="given" { (t("signed")) }
                ul class="files" {
                    @for (what, signature) in signatures(visit) {
                        li { span { (what) } span class="quiet" {
                            (t("signed_by")) " " bdi { (signature.signer) } ", "
                            (moment(visit, signature.at))
                            @if let Some(file) = visit.document(signature.document) { ", " (called(visit.lang, &file.name)) }
                            ", SHA-256 " code { (signature.document) }
                        } }
                    }
                }
            }
        }
    }
}

/// A day and a time as the reader writes them.
fn moment(visit: &Visit, at: Timestamp) -> Markup {
    let day = visit.lang.date(at.to_zoned(TimeZone::UTC).date());
    html! { time datetime=(at) { (day) ", " (at.strftime("%H:%M")) " UTC" } }
}

fn conversation(portal: &Portal, visit: &Visit, base: &str) -> Markup {
    let t = |key: &str| word(visit.lang, key);
    let slip = portal.key.slip(visit.lead.id, "write", visit.bound());
    html! {
        section aria-labelledby="conversation" {
            h2 id="conversation" { (t("conversation")) }
            @for view in &visit.messages { (message(visit, view)) }
            form method="post" action={(base) "/messages"} class="write" {
                input type="hidden" name="slip" value=(slip);
                label for="message" { (t("write_head")) }
                textarea id="message" name="message" rows="5" maxlength="20000" required {}
                button type="submit" class="quiet" { (t("send")) }
            }
        }
    }
}

fn message(visit: &Visit, view: &MessageView) -> Markup {
    let t = |key: &str| word(visit.lang, key);
    let said = &view.message;
    let ours = said.direction == Direction::Out;
    html! {
        article class=(if ours { "ours" } else { "yours" }) {
            p class="quiet" {
                (t(if ours { "from_us" } else { "from_you" })) " · "
                (moment(visit, said.at))
                @if ours { " · " (t(if said.written_by.is_some() { "by_ai" } else { "by_person" })) }
            }
            @if ours && !said.subject.is_empty() { h3 { (said.subject) } }
            p class="letter" dir="auto" { (said.body) }
        }
    }
}

/// The page behind a link that confirms who asked.
pub(super) fn confirm(
    portal: &Portal,
    lang: max_documents::Lang,
    wish: Wish,
    confirmed: bool,
    path: &str,
    slip: &str,
) -> Markup {
    let t = |key: &str| word(lang, key);
    let (head, lead) = match wish {
        Wish::Erasure => ("erase_head", if confirmed { "erase_done" } else { "erase_lead" }),
        Wish::Export => ("copy_head", "copy_lead"),
    };
    html! {
        (DOCTYPE)
        html lang=(lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex, nofollow";
                meta name="referrer" content="no-referrer";
                title { (t(head)) " · " (portal.house.name) }
                link rel="stylesheet" href="/p/portal.css";
                link rel="icon" href="data:,";
            }
            body {
                header { p class="house" { (portal.house.name) } }
                main id="main" {
                    h1 { (t(head)) }
                    section class="sign" aria-label=(t(head)) {
                        p { (t(lead)) }
                        @if wish == Wish::Export || !confirmed {
                            form method="post" action=(path) {
                                input type="hidden" name="slip" value=(slip);
                                @if wish == Wish::Erasure {
                                    button type="submit" { (t("erase_now")) }
                                } @else {
                                    button type="submit" name="format" value="html" { (t("copy_page")) }
                                    " "
                                    button type="submit" name="format" value="json" class="quiet" { (t("copy_json")) }
                                }
                            }
                        }
                    }
                    p { (t("not_me")) }
                }
                footer { p { a href={"mailto:" (portal.house.mail)} { (portal.house.mail) } } }
            }
        }
    }
}

/// What every address gets that is none.
pub(super) fn nobody() -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex, nofollow";
                title { "Not here" }
                link rel="stylesheet" href="/p/portal.css";
                link rel="icon" href="data:,";
            }
            body { main id="main" {
                h1 { "There is no page here" }
                p { "The address may have been cut off on the way, or the page is gone. Please use the link from our latest mail." }
            } }
        }
    }
}
