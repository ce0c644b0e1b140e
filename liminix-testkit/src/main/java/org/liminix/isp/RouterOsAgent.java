package org.liminix.isp;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;

/**
 * RouterOS's own guest agent, which speaks QEMU's protocol (qga/qapi-schema.json) with one
 * difference: {@code guest-exec} takes no program, but in {@code input-data} a script of RouterOS,
 * and runs that.
 */
final class RouterOsAgent {
  /** The way to it: {@link org.liminix.qemu.GuestAgent#execute(String, Map)}. */
  @FunctionalInterface
  interface Channel {
    JsonElement execute(String command, Map<String, ?> arguments);
  }

  private final Channel channel;

  RouterOsAgent(Channel channel) {
    this.channel = channel;
  }

  /**
   * Begins to run a script, and does not wait for its end, which the agent does not tell.
   *
   * @return by what to ask for its {@link #outcome}
   */
  long run(String script) {
    byte[] bytes = script.getBytes(StandardCharsets.UTF_8);
    return channel
        .execute(
            "guest-exec",
            Map.of("input-data", Base64.getEncoder().encodeToString(bytes), "capture-output", true))
        .getAsJsonObject()
        .get("pid")
        .getAsLong();
  }

  /** How a script ended and what it said, for a message; empty if it ended well or goes on. */
  Optional<String> outcome(long process) {
    JsonObject status =
        channel.execute("guest-exec-status", Map.of("pid", process)).getAsJsonObject();
    if (!status.get("exited").getAsBoolean()) {
      return Optional.empty();
    }
    int exitCode = status.has("exitcode") ? status.get("exitcode").getAsInt() : 0;
    String said = (text(status, "out-data") + text(status, "err-data")).strip();
    return exitCode == 0 && said.isEmpty()
        ? Optional.empty()
        : Optional.of("exit code " + exitCode + ": " + said);
  }

  private static String text(JsonObject status, String field) {
    return status.has(field)
        ? new String(
            Base64.getDecoder().decode(status.get(field).getAsString()), StandardCharsets.UTF_8)
        : "";
  }
}
