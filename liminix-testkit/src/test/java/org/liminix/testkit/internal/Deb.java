package org.liminix.testkit.internal;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.commons.compress.archivers.ar.ArArchiveEntry;
import org.apache.commons.compress.archivers.ar.ArArchiveOutputStream;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

/** A Debian package made for a test. */
final class Deb {
  final String name;
  final String version;
  private final List<String> depends = new ArrayList<>();
  private final Map<String, byte[]> files = new LinkedHashMap<>();
  private final Map<String, String> links = new LinkedHashMap<>();

  Deb(String name, String version) {
    this.name = name;
    this.version = version;
  }

  Deb depends(String other) {
    depends.add(other);
    return this;
  }

  Deb file(String path, byte[] content) {
    files.put(path, content);
    return this;
  }

  Deb file(String path, String content) {
    return file(path, content.getBytes(StandardCharsets.UTF_8));
  }

  Deb link(String path, String target) {
    links.put(path, target);
    return this;
  }

  String control() {
    return "Package: "
        + name
        + "\nVersion: "
        + version
        + "\nArchitecture: mipsel\nMaintainer: test\nDescription: test\n"
        + (depends.isEmpty() ? "" : "Depends: " + String.join(", ", depends) + "\n");
  }

  byte[] toBytes() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ArArchiveOutputStream ar = new ArArchiveOutputStream(out)) {
      member(ar, "debian-binary", "2.0\n".getBytes(StandardCharsets.US_ASCII));
      member(
          ar,
          "control.tar.xz",
          xz(tar(Map.of("./control", control().getBytes(StandardCharsets.UTF_8)), Map.of())));
      member(ar, "data.tar.xz", xz(tar(files, links)));
    }
    return out.toByteArray();
  }

  static void member(ArArchiveOutputStream ar, String name, byte[] content) throws IOException {
    ar.putArchiveEntry(new ArArchiveEntry(name, content.length));
    ar.write(content);
    ar.closeArchiveEntry();
  }

  private static byte[] tar(Map<String, byte[]> files, Map<String, String> links)
      throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (TarSink tar = new TarSink(out)) {
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        byte[] content = file.getValue();
        tar.file(file.getKey(), 0755, content.length, new ByteArrayInputStream(content));
      }
      for (Map.Entry<String, String> link : links.entrySet()) {
        tar.symlink(link.getKey(), link.getValue());
      }
    }
    return out.toByteArray();
  }

  private static byte[] xz(byte[] content) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (OutputStream xz = new XZOutputStream(out, new LZMA2Options(0))) {
      xz.write(content);
    }
    return out.toByteArray();
  }
}
