//! Only development and sandbox tenants are served, and a doubt is told with what helps.

use aic_tests::harness::Asked;
use aic_tests::tenant::switches::Canned;
use serde_json::json;

use crate::{builder, calls, world};

#[test]
fn a_tenant_that_is_none_of_ours_is_refused_before_anything_is_opened() {
    let world = world();
    let named = [
        "openam-acme-prod.id.forgerock.io",
        "openam-acme-staging.id.forgerock.io",
        "openam-acme-uat.forgeblocks.com",
        "evil.example.com",
        "openam-acme-dev.id.forgerock.io.evil.example.com",
        "http://openam-acme-dev.id.forgerock.io",
        "https://user:password@openam-acme-dev.id.forgerock.io",
        "ftp://openam-acme-dev.id.forgerock.io",
        "http://127.0.0.1:9",
        "   ",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "//evil.example.com/x",
        "\\\\evil.example.com\\share",
        "--renderer-cmd-prefix=touch",
        "$(touch owned).id.forgerock.io",
        "`touch owned`.id.forgerock.io",
        "x;touch owned;.id.forgerock.io",
        "openam-acme-dev.id.forgerock.io\n--flag",
        "https://openam-acme-dev.id.forgerock.io@evil.example.com",
        "https://evil.example.com\\@openam-acme-dev.id.forgerock.io",
        "https://openam-\u{430}cme-dev.id.forgerock.io.evil.example.com",
    ];

    for tenant in named {
        let answer = calls::read(&mut world.editor_as(calls::editor_of(tenant)));
        answer.refused("tenant_refused");
    }
    assert!(world.browser.opened().is_empty());
    assert!(world.tenant().ledger().is_empty());
}

#[test]
fn a_tenant_without_the_operator_s_word_is_refused_with_the_line_to_add() {
    let world = builder().without_environment().build();

    let answer = calls::read(&mut world.editor("editor")).refused("tenant_refused");

    assert!(answer.text().contains("environment"), "{answer}");
    assert!(world.browser.opened().is_empty() && world.tenant().ledger().is_empty());
}

#[test]
fn an_editor_without_a_tenant_lists_tools_and_is_told_the_line_to_add() {
    let world = builder().tenants(2).build();
    let variables = vec![("AIC_BASE_URL".to_owned(), None)];
    let mut editor = world.editor_as(Asked { variables, ..Asked::default() });

    let listed = editor.request("tools/list", json!({}));
    let answer = calls::read(&mut editor).refused("tenant_refused");

    assert!(listed.result()["tools"].as_array().is_some_and(|tools| tools.len() > 50));
    assert!(answer.text().contains("AIC_BASE_URL"), "{answer}");
}

#[test]
fn a_production_tenant_is_refused_after_the_sign_in_and_the_session_is_given_back() {
    let cases = [
        json!({"immutable": true, "locked": false, "tier": "other"}),
        json!({"immutable": false, "tier": "production"}),
    ];

    for info in cases {
        let world = builder().switches(move |switches| switches.info = Canned::json(200, info.clone())).build();
        let mut editor = world.editor("editor");

        calls::read(&mut editor).refused("tenant_refused");

        assert!(calls::api(world.tenant()).is_empty());
        assert!(calls::revocations(world.tenant()) >= 1);
        calls::read(&mut editor).refused("tenant_refused");
        assert_eq!(world.browser.opened().len(), 1);
    }
}

#[test]
fn a_locked_tenant_is_refused_while_it_lasts() {
    let locked = json!({"immutable": false, "locked": true, "tier": "other"});
    let world = builder().switches(move |switches| switches.info = Canned::json(200, locked.clone())).build();
    let mut editor = world.editor("editor");
    calls::read(&mut editor).refused("tenant_refused");

    let unlocked = json!({"immutable": false, "locked": false, "tier": "other"});
    world.tenant().switches().info = Canned::json(200, unlocked);

    calls::read(&mut editor).succeeded();
    assert_eq!(world.browser.opened().len(), 1);
}

#[test]
fn a_tenant_that_does_not_say_what_it_is_is_unreachable_and_asked_again() {
    let world = builder().switches(|switches| switches.info = Canned::json(500, json!(null))).build();
    let mut editor = world.editor("editor");
    calls::read(&mut editor).refused("unreachable");
    assert!(calls::api(world.tenant()).is_empty());

    let good = json!({"immutable": false, "locked": false, "tier": "other"});
    world.tenant().switches().info = Canned::json(200, good);

    calls::read(&mut editor).succeeded();
}
