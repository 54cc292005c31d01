"""`scaffold` and a real server on a socket: what is counted, what is waited for, and what is taken for no answer."""

from __future__ import annotations

import datetime
import email.utils
import ipaddress
import ssl
import time

import pytest

from netgain.budget import Budget
from netgain.errors import ConfigError, Outage
from netgain.recipes.scaffold import exchange
from netgain.recipes.scaffold.chat import Chat, Terms, prices_of
from netgain.recipes.scaffold.endpoint import KEY, MODEL, URL, Endpoint, from_environment
from netgain.recipes.scaffold.exchange import send
from netgain.recipes.scaffold.replies import Failed
from netgain.testing.chat_server import ChatServer, Handler, chunks, event, tokens

SECRET = 'sk-local/"0123456789'
ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "three little words"}]
COUNT = (5, 2)  # words asked and answered
STREAMS = pytest.mark.parametrize("stream", [False, True])


def replied(request):
    return "as told"


def chat(server, waits=None, key="", **terms):
    def sleep(seconds):
        (waits if waits is not None else []).append(seconds)

    return Chat(Endpoint(server.url, "scripted", key), Terms(**{"seconds": 5.0, "parallel": 1, **terms}), sleep=sleep)


def asked(server, *faults, waits=None, **terms):
    server._faults = iter(faults)
    made = chat(server, waits, **terms)
    return made.ask(ASKED, seed=7, temperature=0.5), made


@pytest.fixture(scope="module")
def server():
    with ChatServer(replied) as running:
        yield running


@STREAMS
def test_a_reply_is_read_and_counted_whole_or_streamed(server, stream):
    call, made = asked(server, stream=stream, prices=(1.0, 10.0))
    assert (call.text, call.failure, call.tokens) == ("as told", None, COUNT)
    assert (made.tokens, made.cost_usd) == (7, pytest.approx(25e-6))
    body, headers = server.requests[-1]
    assert body == dict(call.request) and body.get("stream", False) is stream
    assert (body["model"], body["seed"], body["temperature"], body["max_tokens"]) == ("scripted", 7, 0.5, 2000)
    assert "Authorization" not in headers, "no key, no header"
    budget = Budget()
    made.book(budget)
    assert budget.spent == {"tokens": 7.0, "calls": 1.0, "cost_usd": pytest.approx(25e-6)}


def test_long_text_in_pieces_and_letters_cut_in_half_by_them_come_together(server):
    text = "α β γ " * 50 + "end"
    call, _ = asked(server, lambda one: one.answer(text), stream=True)
    assert call.text == text


@STREAMS
def test_what_is_not_counted_or_priced_is_unknown_and_never_nothing(server, stream):
    call, made = asked(server, lambda one: one.answer("as told", counted=False), stream=stream, prices=(1.0, 10.0))
    assert (call.text, call.tokens, made.tokens, made.cost_usd) == ("as told", None, None, None)
    budget = Budget()
    made.book(budget)
    assert budget.spent == {"calls": 1.0}
    _, unpriced = asked(server)
    assert (unpriced.tokens, unpriced.cost_usd) == (7, None)
    _, free = asked(server, prices=(0.0, 0.0))
    assert free.cost_usd == 0.0


def odd(usage):
    choice = {"message": {"content": "as told"}, "finish_reason": "stop"}
    return lambda one: one.reply(200, {"choices": [choice], "usage": usage})


@pytest.mark.parametrize(
    "usage",
    [None, 3, {}, {"prompt_tokens": 3}, {"prompt_tokens": True, "completion_tokens": 2},
     {"prompt_tokens": -1, "completion_tokens": 2}, {"prompt_tokens": 1.5, "completion_tokens": 2}],
)  # fmt: skip
def test_an_odd_usage_is_no_count(server, usage):
    assert asked(server, odd(usage))[0].tokens is None


def whole(**choice):
    return lambda one: one.reply(200, {"choices": [{"finish_reason": "stop", **choice}]})


def broken_off(one: Handler) -> None:
    one.stream(list(chunks("as told and more of it than a piece", None, None))[:2])


def too_much(one: Handler) -> None:
    one.reply(200, b" " * (exchange.LARGEST + 1))


def too_many(one: Handler) -> None:
    one.stream(event({"choices": [{"delta": {"content": "x" * 60000}}]}) for _ in range(80))


def shorter_than_said(one: Handler) -> None:
    one.send_response(200)
    one.send_header("Content-Length", "500")
    one.end_headers()
    one.wfile.write(b'{"choices": ')
    one.close_connection = True


BAD = {
    "no JSON": (lambda one: one.reply(200, b"{oops"), "malformed"),
    "deep JSON": (lambda one: one.reply(200, b"[" * 100_000), "malformed"),
    "no object": (lambda one: one.reply(200, [1]), "malformed"),
    "no choices": (lambda one: one.reply(200, {"choices": []}), "malformed"),
    "an error inside": (lambda one: one.reply(200, {"error": {"message": "no"}}), "malformed"),
    "content that is no text": (whole(message={"content": [1]}), "malformed"),
    "no end": (whole(message={"content": "as told"}, finish_reason=None), "malformed"),
    "an unknown end": (whole(message={"content": "as told"}, finish_reason="tool_calls"), "malformed"),
    "an end that is no text": (whole(message={"content": "as told"}, finish_reason=[]), "malformed"),
    "no text": (whole(message={"content": " "}), "empty"),
    "no message": (whole(), "empty"),
    "cut off": (lambda one: one.answer("as to", "length"), "truncated"),
    "filtered": (lambda one: one.answer("as to", "content_filter"), "filtered"),
    "a stream that breaks off": (broken_off, "malformed"),
    "a stream with no JSON": (lambda one: one.stream(iter([b"data: {oops\n\n"])), "malformed"),
    "a body that breaks off": (shorter_than_said, "malformed"),
    "too large a body": (too_much, "too large"),
    "too large a stream": (too_many, "too large"),
    "a redirect": (lambda one: one.reply(307, {}, Location="http://127.0.0.1:1/v1"), "refused"),
    "too long a prompt": (lambda one: one.reply(400, {"error": {"message": "context length"}}), "refused"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_reply_that_is_no_complete_answer_is_a_named_failure(server, name):
    fault, kind = BAD[name]
    call, _ = asked(server, fault, stream="stream" in name, tries=1)
    assert (call.text, call.failure) == (None, kind)


@STREAMS
def test_an_answer_that_was_cut_off_is_paid_and_not_asked_for_again(server, stream):
    before = len(server.requests)
    call, made = asked(server, lambda one: one.answer("as", "length"), stream=stream)
    assert (call.failure, call.tokens, made.tokens) == ("truncated", (5, 1), 6)
    assert len(server.requests) == before + 1


def test_a_bad_reply_is_asked_for_again_so_many_times_and_what_it_cost_is_unknown(server):
    waits, before = [], len(server.requests)
    garbage = BAD["no JSON"][0]
    call, made = asked(server, garbage, garbage, waits=waits)
    assert (call.text, call.tokens, made.tokens, waits) == ("as told", None, None, [0.5, 1.0])
    assert asked(server, *[garbage] * 3)[0].failure == "malformed"
    assert len(server.requests) == before + 6, "three tries each"


def busy(**headers):
    return lambda one: one.reply(429, {"error": {"message": "slow down"}}, **headers)


def test_a_busy_server_is_waited_for_as_long_as_it_says_and_costs_no_tokens(server):
    waits = []
    call, _ = asked(server, busy(Retry_After="2.5"), busy(), busy(Retry_After="soon"), waits=waits, tries=1)
    assert (call.text, call.tokens, waits) == ("as told", COUNT, [2.5, 1.0, 2.0])


def test_a_date_to_wait_for_is_understood(server):
    waits = []
    asked(server, busy(Retry_After=email.utils.formatdate(time.time() + 30, usegmt=True)), waits=waits)
    assert 20 < waits[0] <= 30


@pytest.mark.parametrize("status", exchange.OVERLOADED)
def test_an_overloaded_server_is_waited_for_however_often_it_says_so(server, status):
    call, _ = asked(server, *[lambda one: one.reply(status, {})] * 4, tries=1)
    assert (call.text, call.tokens) == ("as told", None if status == 504 else COUNT)


def test_a_server_that_breaks_on_a_request_fails_that_request(server):
    broken = lambda one: one.reply(500, {})  # noqa: E731
    call, made = asked(server, *[broken] * 3)
    assert (call.failure, call.tokens) == ("server", None)
    with pytest.raises(Outage, match="none of 1 requests"):
        made.require_answers()


def test_waiting_has_a_budget_that_all_requests_of_a_stage_share(server):
    waits = []
    server._faults = iter([busy(Retry_After="4"), None, busy(Retry_After="4")])
    made = chat(server, waits, patience_seconds=7.0)
    made.ask(ASKED, seed=1, temperature=0)
    with pytest.raises(Outage, match="7 s of waiting"):
        made.ask(ASKED, seed=2, temperature=0)
    assert waits == [4.0], "nobody waits in vain"


def test_a_server_that_is_not_there_is_an_outage_and_no_failure_of_a_request():
    with ChatServer(replied) as gone:
        pass
    with pytest.raises(Outage, match="unreachable"):
        asked(gone, patience_seconds=2.0)


def slowly(one: Handler) -> None:
    one.stream(iter([b": still here\n\n"] * 100), pause_seconds=0.02)


def dripping_headers(one: Handler) -> None:
    for _ in range(100):
        one.wfile.write(b"H" if _ else b"HTTP/1.1 200 OK\r\n")
        time.sleep(0.02)


@pytest.mark.parametrize("fault", [lambda one: time.sleep(0.5), slowly, dripping_headers])
def test_a_deadline_holds_over_silence_and_over_bytes_that_drip_in(server, fault):
    began = time.monotonic()
    server._faults = iter([fault])
    with pytest.raises(Failed, match="time-out") as error:
        send(Endpoint(server.url, "scripted"), {"model": "m", "messages": ASKED, "stream": True}, seconds=0.2)
    assert time.monotonic() - began < 1.5
    assert error.value.tokens is None, "what the model wrote meanwhile may have to be paid"


def test_a_slow_reply_is_a_failure_of_its_request_and_a_round_of_them_an_outage(server):
    call, made = asked(server, lambda one: time.sleep(0.3), seconds=0.1, tries=1)
    assert (call.failure, call.tokens) == ("time-out", None)
    with pytest.raises(Outage, match="none of 1 requests"):
        made.require_answers()
    made.ask(ASKED, seed=1, temperature=0)
    made.require_answers()


def test_requests_side_by_side_come_back_in_their_order():
    def model(request):
        time.sleep(0.02 * (3 - request["seed"]))
        return f"reply {request['seed']}"

    with ChatServer(model) as many:
        made = chat(many, parallel=3)
        calls = made.ask_all([(ASKED, seed, 0.0) for seed in range(3)])
    assert [one.text for one in calls] == ["reply 0", "reply 1", "reply 2"] and made.calls == calls


# ---- the line


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A file with a certificate of its own for 127.0.0.1, and its private key."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    private, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "here")])
    made = (
        x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(private, hashes.SHA256())
    )
    forms = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = tmp_path_factory.mktemp("certificate") / "both.pem"
    path.write_bytes(made.public_bytes(forms[0]) + private.private_bytes(*forms))
    return path


@pytest.fixture
def private_line(certificate):
    with ChatServer(replied) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        yield Endpoint(server.url.replace("http:", "https:"), "scripted", SECRET), server


BODY = {"model": "scripted", "messages": ASKED}


def test_a_server_whose_certificate_nobody_trusts_never_sees_the_key(private_line):
    endpoint, server = private_line
    with pytest.raises(Failed, match="unreachable") as error:
        send(endpoint, BODY, seconds=5.0)
    assert "CERTIFICATE_VERIFY_FAILED" in str(error.value) and server.requests == []
    assert error.value.tokens == (0, 0)


def test_an_encrypted_line_to_a_trusted_server_carries_replies_and_keeps_its_deadline(
    private_line, certificate, monkeypatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    endpoint, server = private_line
    assert send(endpoint, BODY, seconds=5.0).text == "as told"
    server._faults = iter([slowly])
    with pytest.raises(Failed, match="time-out"):
        send(endpoint, {**BODY, "stream": True}, seconds=0.3)


# ---- the key


def test_the_key_is_sent_and_a_wrong_one_is_an_outage_that_does_not_show_it():
    with ChatServer(replied, key="another key of it") as strict, pytest.raises(Outage, match="denies access") as error:
        asked(strict, key=SECRET)
    assert KEY in str(error.value) and "[key]" in str(error.value)
    assert SECRET not in str(error.value) and "0123456789" not in str(error.value), "the server had repeated it"
    with ChatServer(replied, key=SECRET) as strict:
        assert asked(strict, key=SECRET)[0].text == "as told"


@STREAMS
def test_a_server_that_repeats_the_key_does_not_bring_it_into_a_reply(server, stream):
    call, _ = asked(
        server, lambda one: one.answer(f"your key is {SECRET}, once more {SECRET}"), key=SECRET, stream=stream
    )
    assert call.text == "your key is [key], once more [key]"
    assert SECRET not in repr(call)


def test_half_a_surrogate_pair_is_no_text_that_cannot_be_stored(server):
    call, _ = asked(server, whole(message={"content": "odd \ud800"}))
    assert call.text == "odd ?"


def test_an_endpoint_does_not_show_its_key():
    assert "secret" not in repr(Endpoint("http://host/v1", "m", "secret key"))


# ---- the environment

GOOD = {URL: "http://127.0.0.1:8000/v1/", MODEL: "mine"}


def test_there_is_no_default_server_or_model():
    assert from_environment(GOOD) == Endpoint("http://127.0.0.1:8000/v1", "mine")
    for name in (URL, MODEL):
        with pytest.raises(ConfigError, match=f"{name} is not set") as error:
            from_environment({**GOOD, name: " "})
        assert f"export {name}=" in str(error.value.fix)


@pytest.mark.parametrize(
    "url",
    ["127.0.0.1:8000", "ftp://host/v1", "http://", "http://host:port/v1", "http://me:secret-key@host/v1",
     "http://host/v1?key=secret-key", "http://host/v1#secret-key", "http://[::1/v1", "replay:nowhere"],
)  # fmt: skip
def test_a_url_that_is_none_or_holds_a_secret_is_refused_without_being_shown(url):
    with pytest.raises(ConfigError) as error:
        from_environment({**GOOD, URL: url})
    assert error.value.fix and "secret-key" not in str(error.value)


@pytest.mark.parametrize("key", ["short", "with a blank in it", "ключ-ключ-ключ", "line\nbreak-in-it"])
def test_a_key_that_could_not_be_told_from_text_or_sent_is_refused_without_being_shown(key):
    with pytest.raises(ConfigError, match=KEY) as error:
        from_environment({**GOOD, KEY: key})
    assert key not in str(error.value)


def test_prices_are_two_numbers_or_unknown():
    assert prices_of("unknown") is None and prices_of("2.5/10") == (2.5, 10.0)
    for text in ("free", "1", "1/2/3", "-1/2", "nan/1", "inf/1"):
        with pytest.raises(ConfigError, match="USD per million"):
            prices_of(text)


def test_the_server_counts_what_it_was_asked():
    assert tokens({"messages": ASKED}, "as told") == {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
