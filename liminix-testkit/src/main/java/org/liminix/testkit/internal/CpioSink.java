package org.liminix.testkit.internal;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.apache.commons.compress.archivers.cpio.CpioArchiveEntry;
import org.apache.commons.compress.archivers.cpio.CpioArchiveOutputStream;
import org.apache.commons.compress.archivers.cpio.CpioConstants;

/**
 * Writes an initramfs: a cpio archive of the {@code newc} kind
 * (Documentation/driver-api/early-userspace/buffer-format.rst of the kernel).
 */
final class CpioSink implements FileSink, AutoCloseable {
  private final CpioArchiveOutputStream cpio;
  private long inode;

  CpioSink(OutputStream out) {
    cpio = new CpioArchiveOutputStream(out, CpioConstants.FORMAT_NEW);
  }

  @Override
  public void directory(String path, int mode) throws IOException {
    put(entry(path, CpioConstants.C_ISDIR | mode, 0));
    cpio.closeArchiveEntry();
  }

  @Override
  public void file(String path, int mode, long size, InputStream content) throws IOException {
    put(entry(path, CpioConstants.C_ISREG | mode, size));
    content.transferTo(cpio);
    cpio.closeArchiveEntry();
  }

  @Override
  public void symlink(String path, String target) throws IOException {
    byte[] name = target.getBytes(StandardCharsets.UTF_8);
    put(entry(path, CpioConstants.C_ISLNK | 0777, name.length));
    cpio.write(name);
    cpio.closeArchiveEntry();
  }

  @Override
  public void hardLink(String path, String target) throws IOException {
    symlink(path, "/" + target);
  }

  @Override
  public void characterDevice(String path, int mode, int major, int minor) throws IOException {
    CpioArchiveEntry entry = entry(path, CpioConstants.C_ISCHR | mode, 0);
    entry.setRemoteDeviceMaj(major);
    entry.setRemoteDeviceMin(minor);
    put(entry);
    cpio.closeArchiveEntry();
  }

  private CpioArchiveEntry entry(String path, int mode, long size) {
    CpioArchiveEntry entry = new CpioArchiveEntry(CpioConstants.FORMAT_NEW, path, size);
    entry.setMode(mode);
    entry.setTime(0);
    inode++;
    entry.setInode(inode);
    return entry;
  }

  private void put(CpioArchiveEntry entry) throws IOException {
    cpio.putArchiveEntry(entry);
  }

  @Override
  public void close() throws IOException {
    cpio.close();
  }
}
