package org.liminix.tftp.internal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * A file that appears under its name when it is complete, and not before: until then its bytes are
 * in a hidden file beside it, which goes away if the transfer fails.
 */
public final class FileSink implements Sink {
  /** What a full disk is called, in the language of this machine. */
  private static final String NO_SPACE = noSpace();

  private final Path target;
  private final Path partial;
  private final boolean overwrite;
  private final long limit;
  private final FileChannel channel;
  private long size;

  private FileSink(Path target, Path partial, boolean overwrite, long limit, FileChannel channel) {
    this.target = target;
    this.partial = partial;
    this.overwrite = overwrite;
    this.limit = limit;
    this.channel = channel;
  }

  /**
   * Begins a file.
   *
   * @param target its name, in a folder that exists
   * @param overwrite whether a file of that name is replaced
   * @param limit the most bytes it may have
   */
  public static FileSink create(Path target, boolean overwrite, long limit) throws IOException {
    Path folder = target.toAbsolutePath().getParent();
    Path partial;
    try {
      partial = Files.createTempFile(folder, ".tftp-", ".part");
    } catch (IOException e) {
      throw explained(e);
    }
    try {
      return new FileSink(
          target, partial, overwrite, limit, FileChannel.open(partial, StandardOpenOption.WRITE));
    } catch (IOException e) {
      Files.deleteIfExists(partial);
      throw e;
    }
  }

  private static String noSpace() {
    try {
      Files.write(Path.of("/dev/full"), new byte[1], StandardOpenOption.WRITE);
    } catch (FileSystemException noSuchDevice) {
      // English, then
    } catch (IOException full) {
      return String.valueOf(full.getMessage());
    }
    return "No space left on device";
  }

  /** Tells a full disk from other mishaps, for which there is no type but these words. */
  private static IOException explained(IOException cause) {
    String words = String.valueOf(cause.getMessage());
    return words.contains(NO_SPACE) || words.contains("quota")
        ? new TooLargeException("The disk is full", cause)
        : cause;
  }

  @Override
  public void write(ByteBuffer bytes) throws IOException {
    size += bytes.remaining();
    if (size > limit) {
      throw new TooLargeException("Files of more than " + limit + " bytes are not taken");
    }
    try {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (IOException e) {
      throw explained(e);
    }
  }

  @Override
  public void finish() throws IOException {
    try {
      channel.close(); // where a file system that writes behind tells that it could not
      publish();
    } catch (FileAlreadyExistsException e) {
      throw e;
    } catch (IOException e) {
      throw explained(e);
    }
  }

  private void publish() throws IOException {
    if (overwrite) {
      Files.move(
          partial, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      return;
    }
    try {
      // A link fails where a file of that name has come into being; a rename would replace it.
      Files.createLink(target, partial);
      Files.delete(partial);
    } catch (UnsupportedOperationException e) {
      Files.move(partial, target);
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
    Files.deleteIfExists(partial);
  }
}
