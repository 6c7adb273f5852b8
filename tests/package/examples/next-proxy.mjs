import { NextResponse } from 'next/server';
import { createGate } from 'portcullis/gate';
import { guard } from 'portcullis/next';
import policy from './policy.json';

// What a route may know of the token, the policy's `forward.claims` name: `{ "sub": "x-user" }`.
export const proxy = guard(createGate(policy), NextResponse);

export const config = { matcher: ['/notes', '/maybe'] };
