package org.liminix.tftp;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.liminix.tftp.internal.FileSink;
import org.liminix.tftp.internal.Negotiation;
import org.liminix.tftp.internal.NetasciiSink;
import org.liminix.tftp.internal.Sink;

/**
 * Where clients may write.
 *
 * @param folder absolute
 * @param overwrite whether a file that is there is replaced
 * @param limit the most bytes of one file
 */
record Uploads(Path folder, boolean overwrite, long limit) {

  /**
   * Begins the file a request names. May wait for a disk, so not on an event loop.
   *
   * @throws TftpException with the code the client is to get
   */
  Sink open(TftpRequest request) {
    long announced = announced(request);
    if (announced > limit) {
      throw tooLarge();
    }
    try {
      Path target = target(request);
      if (Catalogue.exists(target)) {
        if (Files.isDirectory(target)) {
          throw refusal(request, " is a directory");
        }
        if (!overwrite) {
          throw exists(request);
        }
      }
      if (announced > folder.toFile().getUsableSpace()) {
        throw new TftpException(TftpError.DISK_FULL, "The disk is full");
      }
      Sink sink = FileSink.create(target, overwrite, limit);
      return request.mode() == TftpRequest.Mode.NETASCII ? new NetasciiSink(sink) : sink;
    } catch (Sink.TooLargeException e) {
      throw failure(request, e);
    } catch (IOException | InvalidPathException e) {
      throw refusal(request, " cannot be written");
    }
  }

  private Path target(TftpRequest request) throws IOException {
    Path target = Catalogue.inside(folder, request.file());
    Path parent = target.getParent();
    if (target.equals(folder) || parent == null) {
      throw refusal(request, " names no file");
    }
    if (!Files.isDirectory(parent)) {
      throw refusal(request, " is in a folder that does not exist");
    }
    if (!parent.toRealPath().startsWith(folder.toRealPath())) {
      throw refusal(request, " leads out of the folder that can be written");
    }
    return target;
  }

  private static long announced(TftpRequest request) {
    return Negotiation.sizeIn(request.options());
  }

  /** What a client is told when its data could not be kept. */
  static TftpException failure(TftpRequest request, IOException cause) {
    if (cause instanceof Sink.TooLargeException) {
      return new TftpException(TftpError.DISK_FULL, String.valueOf(cause.getMessage()));
    }
    if (cause instanceof FileAlreadyExistsException) {
      return exists(request);
    }
    return new TftpException(
        TftpError.UNDEFINED, TftpRequest.printable(request.file()) + " cannot be written");
  }

  private TftpException tooLarge() {
    return new TftpException(
        TftpError.DISK_FULL, "Files of more than " + limit + " bytes are not taken");
  }

  private static TftpException exists(TftpRequest request) {
    return new TftpException(
        TftpError.FILE_EXISTS, TftpRequest.printable(request.file()) + " exists");
  }

  private static TftpException refusal(TftpRequest request, String what) {
    return new TftpException(
        TftpError.ACCESS_VIOLATION, TftpRequest.printable(request.file()) + what);
  }
}
