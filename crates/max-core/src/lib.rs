//! The pure core of MAX: what may happen to a lead, decided without I/O, clock or chance.
//!
//! [`decide::decide`] answers a [`command::Request`] with events or a [`error::Refusal`]; [`apply::apply`] folds
//! events into a [`lead::Lead`]; [`effect::effects`] says what the outside has to do about them. Time, ids and
//! entropy come in as arguments ([`id::Fresh`]), the owner's rules as [`policy::Policy`].

pub mod apply;
pub mod calendar;
pub mod command;
pub mod decide;
pub mod effect;
pub mod error;
pub mod event;
pub mod figures;
pub mod guard;
pub mod id;
pub mod lead;
pub mod policy;
pub mod prose;
pub mod rules;
pub mod signal;
pub mod stage;
pub mod stages;
pub mod trace;
