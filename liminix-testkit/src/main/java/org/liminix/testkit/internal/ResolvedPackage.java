package org.liminix.testkit.internal;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A package apt has chosen: which version, and how its archive is called, how big and what hash.
 */
record ResolvedPackage(
    String name, String version, String uri, String fileName, long size, String sha256) {
  // 'http://…/ppp_2.4.9-1_mipsel.deb' ppp_2.4.9-1_mipsel.deb 344220 SHA256:0123…
  private static final Pattern URI_LINE =
      Pattern.compile(
          "'(?<uri>[^']+)' (?<file>(?<name>[^_ ]+)_(?<version>[^_ ]+)_[^_ ]+\\.deb)"
              + " (?<size>\\d+) SHA256:(?<hash>[0-9a-f]{64})");

  /** Reads a line of {@code apt-get --print-uris} that asks for SHA256. */
  static ResolvedPackage parse(String line) {
    Matcher matcher = URI_LINE.matcher(line);
    if (!matcher.matches()) {
      throw new IllegalArgumentException("apt-get printed a line of an unknown form: " + line);
    }
    return new ResolvedPackage(
        matcher.group("name"),
        URLDecoder.decode(matcher.group("version").replace("+", "%2b"), StandardCharsets.UTF_8),
        matcher.group("uri"),
        matcher.group("file"),
        Long.parseLong(matcher.group("size")),
        matcher.group("hash"));
  }

  /** Name and version, as users write it. */
  @Override
  public String toString() {
    return name + " " + version;
  }
}
