package org.liminix.testkit.internal;

import java.util.Arrays;

/** What is at a path of the root. */
public sealed interface GuestFile {
  /** A hash over all that makes it what it is. */
  String fingerprint();

  /** A regular file. */
  final class Regular implements GuestFile {
    private final int mode;
    private final byte[] content;

    /** A file with those permission bits. */
    public Regular(int mode, byte[] content) {
      this.mode = mode;
      this.content = content.clone();
    }

    int mode() {
      return mode;
    }

    byte[] content() {
      return content;
    }

    @Override
    public String fingerprint() {
      return "file " + Integer.toOctalString(mode) + " " + Hashes.sha256(content);
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Regular file
          && mode == file.mode
          && Arrays.equals(content, file.content);
    }

    @Override
    public int hashCode() {
      return 31 * mode + Arrays.hashCode(content);
    }
  }

  /** A symbolic link. */
  record Link(String target) implements GuestFile {
    @Override
    public String fingerprint() {
      return "link " + target;
    }
  }
}
