package org.liminix.qemu;

import com.google.gson.JsonObject;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import org.liminix.process.Deadline;
import org.liminix.process.LiminixException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The files of the guest, by the agent's commands guest-file-* (qga/qapi-schema.json). */
final class AgentFiles {
  private static final Logger log = LoggerFactory.getLogger(AgentFiles.class);

  /** Of a file in one message: a fraction of a second's work for an emulated agent. */
  private static final int CHUNK = 96 << 10;

  private final AgentPort port;

  AgentFiles(AgentPort port) {
    this.port = port;
  }

  byte[] download(String path, Deadline deadline) {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    download(path, content, deadline);
    return content.toByteArray();
  }

  long download(String path, OutputStream to, Deadline deadline) {
    return withFile(
        path,
        "r",
        deadline,
        handle -> {
          long total = 0;
          boolean more = true;
          while (more) {
            JsonObject part =
                execute("guest-file-read", Map.of("handle", handle, "count", CHUNK), deadline);
            byte[] bytes = Base64.getDecoder().decode(part.get("buf-b64").getAsString());
            to.write(bytes);
            total += bytes.length;
            more = !part.get("eof").getAsBoolean();
          }
          return total;
        });
  }

  void upload(byte[] content, String path, Deadline deadline) {
    upload(new ByteArrayInputStream(content), path, deadline);
  }

  long upload(InputStream from, String path, Deadline deadline) {
    return withFile(
        path,
        "w",
        deadline,
        handle -> {
          long total = 0;
          for (byte[] part = from.readNBytes(CHUNK); part.length > 0; ) {
            int written =
                execute(
                        "guest-file-write",
                        Map.of(
                            "handle", handle, "buf-b64", Base64.getEncoder().encodeToString(part)),
                        deadline)
                    .get("count")
                    .getAsInt();
            total += written;
            part =
                written < part.length
                    ? Arrays.copyOfRange(part, written, part.length)
                    : from.readNBytes(CHUNK);
          }
          execute("guest-file-flush", Map.of("handle", handle), deadline);
          return total;
        });
  }

  private interface Work {
    long on(long handle) throws IOException;
  }

  private long withFile(String path, String mode, Deadline deadline, Work work) {
    long handle =
        port.execute("guest-file-open", Map.of("path", path, "mode", mode), deadline.remaining())
            .getAsLong();
    long bytes;
    try {
      bytes = work.on(handle);
    } catch (IOException e) {
      closeQuietly(handle, deadline);
      throw new UncheckedIOException(e);
    } catch (RuntimeException e) {
      closeQuietly(handle, deadline);
      throw e;
    }
    // Its failure is that of the file: what is buffered is written here at the latest.
    execute("guest-file-close", Map.of("handle", handle), deadline);
    return bytes;
  }

  private void closeQuietly(long handle, Deadline deadline) {
    try {
      execute("guest-file-close", Map.of("handle", handle), deadline);
    } catch (LiminixException e) {
      log.debug("Closing a file of the guest after a failure", e);
    }
  }

  private JsonObject execute(String command, Map<String, ?> arguments, Deadline deadline) {
    return port.execute(command, arguments, deadline.remaining()).getAsJsonObject();
  }
}
