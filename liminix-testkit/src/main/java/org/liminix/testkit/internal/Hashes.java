package org.liminix.testkit.internal;

import com.google.common.hash.HashCode;
import com.google.common.hash.Hashing;
import com.google.common.io.MoreFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** SHA-256 in lower-case hexadecimal, as package indices write it. */
final class Hashes {
  private Hashes() {}

  static String sha256(Path file) throws IOException {
    return MoreFiles.asByteSource(file).hash(Hashing.sha256()).toString();
  }

  static String sha256(byte[] content) {
    HashCode hash = Hashing.sha256().hashBytes(content);
    return hash.toString();
  }

  static String sha256(String text) {
    return Hashing.sha256().hashString(text, StandardCharsets.UTF_8).toString();
  }
}
