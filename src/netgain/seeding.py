"""Where all randomness comes from: one root per study, one secret per claim, names for everything drawn from them.

Every stream and every item is a hash of what it is for, so a verifier derives the same ones in any order
(`design.md` section 4; `verify.py` is the independent twin of this file).
"""

from __future__ import annotations

import hashlib
import hmac

SPLITS = ("dev", "gate", "report", "anchor", "canary", "probation")  # "sealed" has its own key: `sealed_secret`


def root(claim_digest: str, root_bits: str) -> str:
    """Root of a study: SHA-256(claim digest ‖ 128 random bits), both as hex text; 64 hex digits."""
    return _sha256(claim_digest + root_bits).hex()


def stream(root: str, replica: int, round: int, stage: str, purpose: str, *, arm: str | None = None) -> int:
    """Seed of one random stream, in [0, 2^128).

    Args:
        root: 64 hex digits.
        replica: from 0.
        round: 0 for generation 0, else from 1.
        stage: name of the stage that draws.
        purpose: what the draws are for.
        arm: only for an arm's own operation (a placebo's permutation); all else is shared by the arms of a replica.
    """
    own = purpose if arm is None else f"{purpose}|{arm}"
    return int.from_bytes(_sha256(f"stream|{root}|{replica}|{round}|{stage}|{own}")[:16], "big")


def item_seed(secret: bytes, split: str, source: str, key: str, index: int) -> str:
    """Seed of item `index` of a block, 64 hex digits: HMAC-SHA256 under the claim's secret.

    Args:
        secret: 32 bytes; for split "sealed" the block secret of the replica (`sealed_secret`).
        split: one of `SPLITS`, or "sealed".
        source: name of the item source (`Axis.source_key`).
        key: `gate_key`, `report_key`, `dev_key`, `anchor_key` or `sealed_key`.
        index: position in the block, from 0.
    """
    return hmac.new(secret, f"{split}|{source}|{key}|{index}".encode(), hashlib.sha256).hexdigest()


def sealed_secret(claim_digest: str, merkle_root: str, replica: int) -> bytes:
    """HMAC key of a replica's sealed block, 32 bytes: known to nobody before the log has its last event."""
    return _sha256(f"seal|{claim_digest}|{merkle_root}|{replica}")


def dev_key(replica: int, round: int) -> str:
    """Items the loop may use as it likes: new ones each round."""
    return f"r{replica}|k{round}"


def report_key(replica: int, round: int) -> str:
    """Items of the curves: the same for all arms of a replica in a round."""
    return f"r{replica}|k{round}"


def anchor_key(replica: int) -> str:
    """Items that never change within a replica."""
    return f"r{replica}"


def sealed_key(replica: int) -> str:
    """The one sealed block of a replica."""
    return f"r{replica}"


def gate_key(candidate: str, released: str) -> str:
    """Items of one gate decision; the index runs on over its blocks."""
    return f"{candidate}|{released}"


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode("ascii")).digest()
