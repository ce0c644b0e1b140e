package org.liminix.testkit.internal;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.ar.ArArchiveEntry;
import org.apache.commons.compress.archivers.ar.ArArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.liminix.testkit.ImageException;
import org.tukaani.xz.XZInputStream;

/** The files in a binary package (deb(5)), read as a stream. */
final class DebArchive {
  private DebArchive() {}

  /** Takes one entry of the package; the stream holds its content and is not to be closed. */
  @FunctionalInterface
  interface Visitor {
    void visit(TarArchiveEntry entry, InputStream content) throws IOException;
  }

  /**
   * Visits every file, directory and link the package installs, in archive order.
   *
   * @throws ImageException if the file is not a package, or compressed in a way not known here
   */
  static void visit(Path deb, Visitor visitor) throws IOException {
    try (ArArchiveInputStream ar =
        new ArArchiveInputStream(new BufferedInputStream(Files.newInputStream(deb), 1 << 16))) {
      for (ArArchiveEntry member = ar.getNextEntry(); member != null; member = ar.getNextEntry()) {
        String name = member.getName();
        if (name.startsWith("data.tar")) {
          visitTar(decompress(deb, name, ar), visitor);
          return;
        }
      }
    }
    throw new ImageException(deb + " is not a Debian package: it has no data.tar member");
  }

  private static void visitTar(InputStream stream, Visitor visitor) throws IOException {
    // The stream belongs to the archive around it, so the tar reader is not closed here.
    @SuppressWarnings("resource")
    TarArchiveInputStream tar = new TarArchiveInputStream(stream);
    for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
      visitor.visit(entry, tar);
    }
  }

  private static InputStream decompress(Path deb, String member, InputStream stream)
      throws IOException {
    return switch (member) {
      case "data.tar" -> stream;
      case "data.tar.gz" -> new GZIPInputStream(stream, 1 << 16);
      case "data.tar.xz" -> new BufferedInputStream(new XZInputStream(stream), 1 << 16);
      default ->
          throw new ImageException(
              deb
                  + " holds "
                  + member
                  + ", a compression this library cannot read; Debian's own packages use xz."
                  + " Take the package from Debian, or repack it: dpkg-deb -R, dpkg-deb -Zxz -b");
    };
  }
}
