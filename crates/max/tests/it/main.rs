//! What MAX does as a whole: its HTTP, its command line, its files. One program, so that it is linked once.

mod agreements;
mod api;
mod api_events;
mod api_once;
mod api_openapi;
mod api_people;
mod architecture;
mod backup;
mod cli_help;
mod cli_setup;
mod cli_words;
mod conversations_in_files;
mod demo;
mod drop_box;
mod endpoints;
mod erasure;
mod faults;
mod ingest_file;
mod kill;
mod many_clients;
mod model_voice;
mod portal;
mod process;
mod scenarios;
mod signed_approvals;
mod support;
