package org.liminix.tftp;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a generated file consists of: the answer of a function given to {@link
 * TftpServerBuilder#generate}.
 *
 * <pre>{@code
 * TftpServer.allowAnyone()
 *     .generate(request -> request.file().endsWith("/boot.scr")
 *         ? Optional.of(TftpContent.text("setenv serverip 192.168.8.148\n"))
 *         : Optional.empty())
 *     .start();
 * }</pre>
 *
 * <p>Immutable. A stream is closed by the server.
 */
public final class TftpContent {
  final byte @Nullable [] bytes;
  final @Nullable Path file;
  final @Nullable Supplier<InputStream> stream;
  final long size;

  private TftpContent(
      byte @Nullable [] bytes,
      @Nullable Path file,
      @Nullable Supplier<InputStream> stream,
      long size) {
    this.bytes = bytes;
    this.file = file;
    this.stream = stream;
    this.size = size;
  }

  /** These bytes, copied. */
  public static TftpContent bytes(byte[] bytes) {
    return new TftpContent(bytes.clone(), null, null, bytes.length);
  }

  /** This text in UTF-8. */
  public static TftpContent text(String text) {
    return bytes(text.getBytes(StandardCharsets.UTF_8));
  }

  /** A regular file, anywhere. */
  public static TftpContent file(Path file) {
    return new TftpContent(null, Objects.requireNonNull(file), null, -1);
  }

  /**
   * What a stream yields. Its reads run on the server's event loop and must not wait long.
   *
   * @param stream opens it, once for each transfer
   * @param size how many bytes it yields, or -1 if not known: then the option of RFC 2349 stays
   *     unanswered
   */
  public static TftpContent stream(Supplier<InputStream> stream, long size) {
    return new TftpContent(null, null, Objects.requireNonNull(stream), size);
  }
}
