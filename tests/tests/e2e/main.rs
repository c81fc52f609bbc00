//! All end-to-end tests. Each starts a real project under `hot`, edits its files, and asks the
//! running program.

mod alive;
mod any_command;
mod attach;
mod bad_plugins;
mod breadth;
mod by_hand;
mod control;
mod counter_server;
mod day;
mod edits;
mod facts;
mod failures;
mod faults;
mod included;
mod inputs;
mod keys;
mod ledger;
mod linking;
mod meaning;
mod meant;
mod messages;
mod mini_redis;
mod overview;
mod policy;
mod private;
mod processes;
mod profiles;
mod rude;
mod saves;
mod sources;
mod state;
mod steering;
mod surroundings;
mod workspace;
mod wrapper;
