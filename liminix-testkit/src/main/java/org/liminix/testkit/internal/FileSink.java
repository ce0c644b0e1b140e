package org.liminix.testkit.internal;

import java.io.IOException;
import java.io.InputStream;

/** Takes the files of a root, in any order; paths have no leading slash. Everything is root's. */
interface FileSink {
  void directory(String path, int mode) throws IOException;

  void file(String path, int mode, long size, InputStream content) throws IOException;

  void symlink(String path, String target) throws IOException;

  void hardLink(String path, String target) throws IOException;

  void characterDevice(String path, int mode, int major, int minor) throws IOException;
}
