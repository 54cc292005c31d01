"""The verifier's own Ed25519 agrees with the published vectors and with `cryptography`, on right and on wrong input."""

import base64
import random

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from netgain import verify
from netgain.ledger.checkpoint import Key, Note, read_key

# RFC 8032, section 7.1: secret key, public key, message, signature
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
        "387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
        "4a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
        "454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e030"
        "3dca179c138ac17ad9bef1177331a704",
    ),
]


@pytest.mark.parametrize(("secret", "public", "message", "signature"), VECTORS)
def test_vectors_of_rfc_8032(secret: str, public: str, message: str, signature: str) -> None:
    raw, said, made = bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature)
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
    assert (private.public_key().public_bytes_raw(), private.sign(said)) == (raw, made)  # the vector is copied right
    assert verify.signed(raw, said, made)
    assert not verify.signed(raw, said + b"\0", made)


def theirs(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def test_it_says_what_cryptography_says() -> None:
    draw = random.Random(8032)
    for _ in range(40):
        private = Ed25519PrivateKey.from_private_bytes(draw.randbytes(32))
        public, message = private.public_key().public_bytes_raw(), draw.randbytes(draw.randrange(200))
        made = private.sign(message)
        assert verify.signed(public, message, made)
        bad = bytearray(public + made)
        bad[draw.randrange(96)] ^= 1 << draw.randrange(8)
        spoilt = (bytes(bad[:32]), message, bytes(bad[32:]))
        assert verify.signed(*spoilt) is theirs(*spoilt) is False


def test_every_bit_of_a_signature_and_of_its_key_counts() -> None:
    public, message, made = (bytes.fromhex(one) for one in VECTORS[2][1:])
    for bit in range(0, 768, 7):
        bad = bytearray(public + made)
        bad[bit // 8] ^= 1 << bit % 8
        assert not verify.signed(bytes(bad[:32]), message, bytes(bad[32:])), bit


def test_a_second_form_of_the_same_signature_is_refused() -> None:
    public, message, made = (bytes.fromhex(one) for one in VECTORS[1][1:])
    larger = int.from_bytes(made[32:], "little") + verify.ORDER
    other = made[:32] + larger.to_bytes(32, "little")
    assert not verify.signed(public, message, other) and not theirs(public, message, other)


@pytest.mark.parametrize("length", [0, 31, 63, 65])
def test_bytes_of_another_length_are_no_signature(length: int) -> None:
    public, message, made = (bytes.fromhex(one) for one in VECTORS[0][1:])
    assert not verify.signed(public, message, (made + b"\0")[:length])
    assert not verify.signed(public[:31], message, made)
    assert verify.point(bytes(length)) is verify.point((verify.FIELD + 1).to_bytes(32, "little")) is None


# the example of the C2SP specification signed-note, and of Go's golang.org/x/mod/sumdb/note
EXAMPLE = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SIGNED = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)


def test_a_note_of_another_implementation_is_read_alike() -> None:
    key = read_key(EXAMPLE)
    assert (str(key), key.name, key.id.hex()) == (EXAMPLE, "example.com/foo", "530d903a")
    ((text, lines),) = verify.notes(SIGNED)
    assert text == "This is an example message.\n"
    assert verify.signed_by(EXAMPLE, text, lines)
    assert not verify.signed_by(EXAMPLE, f"{text}More.\n", lines)
    raw = base64.b64decode(lines[0].rpartition(" ")[2])
    assert str(Note(text, [(key.name, raw[:4], raw[4:])])) == SIGNED


def test_a_signature_line_of_another_key_is_passed_over() -> None:
    ((text, lines),) = verify.notes(SIGNED)
    stranger = Key("example.com/foo", bytes(32))
    assert not verify.signed_by(str(stranger), text, lines)
    cosigned = ["— other AAAA", *lines]
    assert verify.signed_by(EXAMPLE, text, cosigned)
