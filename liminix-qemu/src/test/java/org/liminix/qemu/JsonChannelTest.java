package org.liminix.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.liminix.process.Deadline;
import org.liminix.process.RunDirectory;
import org.liminix.process.UnixSocket;

@Timeout(60)
class JsonChannelTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  private RunDirectory directory;
  private UnixSocket peer;
  private UnixSocket socket;
  private BufferedReader sent;
  private JsonChannel channel;
  private final BlockingQueue<String> noise = new LinkedBlockingQueue<>();

  @BeforeEach
  void connect() throws IOException {
    directory = RunDirectory.create("json");
    Path path = directory.socket("json");
    try (UnixSocket.Listener listener = UnixSocket.listen(path)) {
      socket = UnixSocket.connect(path);
      peer = listener.accept(Deadline.after(LONG));
    }
    sent =
        new BufferedReader(
            new InputStreamReader(Channels.newInputStream(peer), StandardCharsets.ISO_8859_1));
    channel = new JsonChannel("test", socket, new Agent());
    channel.start();
  }

  @AfterEach
  void close() throws IOException {
    socket.close();
    peer.close();
    directory.close();
  }

  @Test
  void forgetsWhatWasSaidBeforeTheSentinel() throws IOException {
    CompletableFuture<JsonElement> answer =
        channel.sendAfresh("guest-sync-delimited", Map.of("id", 7), Deadline.after(LONG));
    String line = sent.readLine();
    assertThat(line).startsWith("\u00ff{");
    say("{\"return\": {\"half\": \u00ff{\"return\": 7, \"id\": " + id(line) + "}\n");
    assertThat(await(answer).getAsLong()).isEqualTo(7);
  }

  @Test
  void dropsAnswersThatNobodyWaitsForAndKeepsTheOthersApart() throws IOException {
    CompletableFuture<JsonElement> one = channel.send("one", Map.of(), Deadline.after(LONG));
    CompletableFuture<JsonElement> two = channel.send("two", Map.of(), Deadline.after(LONG));
    long first = id(sent.readLine());
    long second = id(sent.readLine());
    say("{\"return\": 0, \"id\": 4711}\n{\"return\": 2, \"id\": " + second + "}\n");
    assertThat(await(two).getAsLong()).isEqualTo(2);
    say("{\"return\": 1, \"id\": " + first + "}\n");
    assertThat(await(one).getAsLong()).isEqualTo(1);
  }

  @Test
  void goesOnAfterNoise() throws Exception {
    CompletableFuture<JsonElement> answer = channel.send("ping", Map.of(), Deadline.after(LONG));
    say("}not json\n{\"return\": {}, \"id\": " + id(sent.readLine()) + "}\n");
    assertThat(await(answer).isJsonObject()).isTrue();
    assertThat(noise.take()).isEqualTo("}not json");
  }

  @Test
  void failsWhatIsUnderWayWhenThePeerEnds() throws IOException {
    CompletableFuture<JsonElement> answer = channel.send("ping", Map.of(), Deadline.after(LONG));
    peer.close();
    assertThatExceptionOfType(AgentException.class)
        .isThrownBy(() -> await(answer))
        .withMessage("gone");
    assertThatExceptionOfType(AgentException.class)
        .isThrownBy(() -> await(channel.send("ping", Map.of(), Deadline.after(LONG))))
        .withMessage("gone");
  }

  private JsonElement await(CompletableFuture<JsonElement> answer) {
    return channel.await(answer, "an answer", LONG);
  }

  private static long id(String line) {
    return JsonParser.parseString(line.substring(line.indexOf('{')))
        .getAsJsonObject()
        .get("id")
        .getAsLong();
  }

  private void say(String text) throws IOException {
    peer.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1)));
  }

  private final class Agent implements JsonChannel.Protocol {
    @Override
    public void accept(JsonObject message) {}

    @Override
    public void noise(String line, RuntimeException problem) {
      noise.add(line);
    }

    @Override
    public VmException refusal(JsonObject error) {
      return new AgentException("It", "GenericError", error.toString());
    }

    @Override
    public VmException gone(@Nullable Throwable cause) {
      return new AgentException("gone", cause);
    }

    @Override
    public VmException rethrown(@Nullable Throwable failure) {
      return AgentException.rethrown(failure);
    }

    @Override
    public void ended(VmException reason) {}
  }
}
