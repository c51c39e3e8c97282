//! The supervisor's tests: stories with their timelines, random walks, and every state against every event.

mod goals;
mod parts;
mod scenarios;
mod specs;
mod states;
mod waiting;
mod walks;
