package org.liminix.testkit.internal;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/** Writes a tar archive, for {@code sqfstar}. */
final class TarSink implements FileSink, AutoCloseable {
  private final TarArchiveOutputStream tar;

  TarSink(OutputStream out) {
    tar = new TarArchiveOutputStream(out, StandardCharsets.UTF_8.name());
    tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
    tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
  }

  @Override
  public void directory(String path, int mode) throws IOException {
    put(new TarArchiveEntry(path + "/", TarConstants.LF_DIR), mode);
  }

  @Override
  public void file(String path, int mode, long size, InputStream content) throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(path, TarConstants.LF_NORMAL);
    entry.setSize(size);
    entry.setMode(mode);
    entry.setModTime(0L);
    tar.putArchiveEntry(entry);
    content.transferTo(tar);
    tar.closeArchiveEntry();
  }

  @Override
  public void symlink(String path, String target) throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(path, TarConstants.LF_SYMLINK);
    entry.setLinkName(target);
    put(entry, 0777);
  }

  @Override
  public void hardLink(String path, String target) throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(path, TarConstants.LF_LINK);
    entry.setLinkName(target);
    put(entry, 0644);
  }

  @Override
  public void characterDevice(String path, int mode, int major, int minor) throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(path, TarConstants.LF_CHR);
    entry.setDevMajor(major);
    entry.setDevMinor(minor);
    put(entry, mode);
  }

  private void put(TarArchiveEntry entry, int mode) throws IOException {
    entry.setMode(mode);
    entry.setModTime(0L);
    tar.putArchiveEntry(entry);
    tar.closeArchiveEntry();
  }

  @Override
  public void close() throws IOException {
    tar.close();
  }
}
