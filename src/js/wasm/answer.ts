// How an answer lies in the wasm memory: numbers of 8 bytes each, written by
// src/wasm/verdict_memory.rs (verdicts) and src/wasm/decision_memory.rs (decisions). Whoever reads
// one uses these names.

/** What a call returns: the text is a PolicyError, … */
export const MISTAKE = 0;
/** … a text that says it all, in JSON: a rejection, or a step, … */
export const TOLD = 1;
/** … the claims of a token that is accepted, … */
export const ACCEPTED = 2;
/** … or nothing: the question could not be read. */
export const UNREAD = 3;

/** The address of the text; its length follows. */
export const TEXT = 0;
/**
 * The address of what many answers share, a token's header or the rest of a step; its length
 * follows, …
 */
export const SHARED = 2;
/** … and a number that tells it from others. */
export const SHARED_NUMBER = 4;
/** From when the claims are valid, in seconds since 1970, … */
export const FROM = 5;
/** … and until when. */
export const UNTIL = 6;
/** Of a verdict alone: 1 when no list of revocations could tell. */
export const STALE = 7;
/**
 * The address of the name of the alternative that a token fits; its length, 0 for none, follows.
 */
export const ALTERNATIVE = 8;

/** How many numbers a verdict has, … */
export const VERDICT_NUMBERS = 10;
/** … and a decision. */
export const DECISION_NUMBERS = 7;
