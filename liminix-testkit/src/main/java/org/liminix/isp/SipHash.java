package org.liminix.isp;

/**
 * SipHash-2-4 of one number: a hash that nobody can tell in advance who does not know the key
 * (Aumasson and Bernstein, "SipHash: a fast short-input PRF", section 2).
 */
final class SipHash {
  private final long key0;
  private final long key1;

  /** With the key's two halves, each read as a little-endian number as the paper does. */
  SipHash(long key0, long key1) {
    this.key0 = key0;
    this.key1 = key1;
  }

  /** The hash of eight bytes, the little-endian ones of a number. */
  long of(long message) {
    State state = new State();
    state.compress(message);
    state.compress((long) Long.BYTES << 56); // the length in the last block's highest byte
    return state.finish();
  }

  private final class State {
    private long v0 = key0 ^ 0x736f6d6570736575L;
    private long v1 = key1 ^ 0x646f72616e646f6dL;
    private long v2 = key0 ^ 0x6c7967656e657261L;
    private long v3 = key1 ^ 0x7465646279746573L;

    void compress(long word) {
      v3 ^= word;
      round();
      round();
      v0 ^= word;
    }

    long finish() {
      v2 ^= 0xff;
      for (int i = 0; i < 4; i++) {
        round();
      }
      return v0 ^ v1 ^ v2 ^ v3;
    }

    private void round() {
      v0 += v1;
      v1 = Long.rotateLeft(v1, 13) ^ v0;
      v0 = Long.rotateLeft(v0, 32);
      v2 += v3;
      v3 = Long.rotateLeft(v3, 16) ^ v2;
      v0 += v3;
      v3 = Long.rotateLeft(v3, 21) ^ v0;
      v2 += v1;
      v1 = Long.rotateLeft(v1, 17) ^ v2;
      v2 = Long.rotateLeft(v2, 32);
    }
  }
}
