//! `/api/leads/{id}/messages`: the conversation, and messages in and out.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use max_core::command::{Command, Incoming, Request};
use max_core::lead::{Actor, Direction, MessageKind};

use super::AppState;
use super::auth::{Operate, Read};
use super::input::Input;
use super::once::AboutLead;
use super::problem::Problem;
use super::respond::{At, client_state};
use crate::wire::{MessageList, MessageTaken, MessageView, NewMessage};

/// The conversation, oldest first. What the client wrote is untrusted.
#[utoipa::path(
    get, path = "/api/leads/{id}/messages", tag = "leads", operation_id = "list_messages",
    params(("id" = String, Path, description = "UUID or external_ref")),
    responses((status = 200, description = "The conversation", body = ref("#/components/schemas/MessageList"))),
)]
pub async fn list(State(app): AppState, _: Read, At(id): At<String>) -> Result<Json<MessageList>, Problem> {
    let id = app.find(&id).await?;
    let messages = app.state.director.messages(id).await?;
    Ok(Json(MessageList { messages: messages.into_iter().map(MessageView::from).collect() }))
}

/// Takes in what the client wrote (`in`), or writes to the client as a person (`out`).
#[utoipa::path(
    post, path = "/api/leads/{id}/messages", tag = "leads", operation_id = "post_message",
    params(("id" = String, Path, description = "UUID or external_ref")),
    request_body(content = ref("#/components/schemas/NewMessage")),
    responses((status = 200, description = "It is in the conversation", body = ref("#/components/schemas/MessageTaken"))),
)]
pub async fn post(
    State(app): AppState,
    caller: Operate,
    At(id): At<String>,
    input: Input<NewMessage>,
) -> Result<Response, Problem> {
    let (once, before) = (input.once(), input.before());
    let earlier = before.zip(Some(input.value.body.clone()));
    let cached = app.lead(&id).await?;
    let request = match input.value.direction {
        Direction::In => received(input.value, &cached.lead.contact.email)?,
        Direction::Out => Request::new(caller.actor(), written(input.value)?),
    };
    let rfc_id = match &request.command {
        Command::Receive(incoming) => incoming.rfc_id.clone(),
        _ => None,
    };
    let acted = app.state.director.act(cached.lead.id, request, once).await?;
    // A second copy is the message of then, which may not be the last one any more.
    let messages = &acted.lead.messages;
    let known = messages.iter().find(|message| Some(&message.rfc_id) == rfc_id.as_ref());
    let message_id = match earlier {
        Some((before, body)) => {
            let all = app.state.director.messages(acted.lead.id).await?;
            let then = all.into_iter().map(|view| view.message).rfind(|m| m.at == before.at && m.body == body);
            then.map(|message| message.id)
        }
        None => known.or(messages.last()).map(|message| message.id),
    };
    let taken = MessageTaken { state: client_state(&acted.lead), message_id };
    Ok((Extension(AboutLead), Json(taken)).into_response())
}

fn received(message: NewMessage, address: &str) -> Result<Request, Problem> {
    let NewMessage { body, subject, from, message_id, in_reply_to, kind, .. } = message;
    let kind = kind.unwrap_or(MessageKind::Reply);
    if !matches!(kind, MessageKind::Reply | MessageKind::OutOfOffice | MessageKind::Bounce | MessageKind::OptOut) {
        return Err(Problem::field("kind", "a client's message is a reply, out_of_office, bounce or opt_out"));
    }
    if body.trim().is_empty() && kind == MessageKind::Reply {
        return Err(Problem::field("body", "give the text of the message"));
    }
    // Whoever named the lead has matched the sender; that is more than an address.
    let incoming = Incoming {
        kind,
        subject: subject.unwrap_or_default(),
        body,
        address: from.unwrap_or_else(|| address.to_owned()),
        rfc_id: message_id.map(|id| without_brackets(&id)).filter(|id| !id.is_empty()),
        in_reply_to: in_reply_to.map(|id| without_brackets(&id)),
        verified: true,
    };
    Ok(Request::new(Actor::Client, Command::Receive(Box::new(incoming))))
}

fn written(message: NewMessage) -> Result<Command, Problem> {
    if message.body.trim().is_empty() {
        return Err(Problem::field("body", "give the text of the message"));
    }
    if message.kind.is_some() || message.from.is_some() || message.message_id.is_some() {
        return Err(Problem::field("direction", "`kind`, `from` and `message_id` belong to messages that came `in`"));
    }
    Ok(Command::Send { subject: message.subject.unwrap_or_default(), body: message.body })
}

fn without_brackets(id: &str) -> String {
    id.trim().trim_start_matches('<').trim_end_matches('>').to_owned()
}
