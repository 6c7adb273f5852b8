//! The session state machine, model-checked.
