package org.liminix.console;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.Pipe;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.process.Deadline;
import org.liminix.process.RunDirectory;
import org.liminix.process.UnixSocket;
import org.liminix.process.WaitInterruptedException;

/** With streams for a terminal. */
@Timeout(60)
class AttachmentTest {
  @TempDir Path directory;

  private RunDirectory run;
  private Peer guest;
  private ConsoleServer server;
  private InputStream in;
  private OutputStream out;
  private OutputStream person;
  private InputStream screen;

  @BeforeEach
  void serve() throws IOException {
    run = RunDirectory.create("router");
    guest = Peer.connect(run.path());
    server = ConsoleServer.serve(guest.console(), run.socket("console"));
    Pipe typed = Pipe.open();
    Pipe shown = Pipe.open();
    in = Channels.newInputStream(typed.source());
    out = Channels.newOutputStream(shown.sink());
    person = Channels.newOutputStream(typed.sink());
    screen = Channels.newInputStream(shown.source());
  }

  @AfterEach
  void close() throws IOException {
    in.close();
    out.close();
    person.close();
    screen.close();
    server.close();
    guest.close();
    run.close();
  }

  private CompletableFuture<Departure> attach(Attachment attachment) {
    return CompletableFuture.supplyAsync(
        () -> attachment.terminal(in, out).run(), task -> new Thread(task).start());
  }

  private CompletableFuture<Departure> attach() {
    return attach(Attachment.to(run.path()));
  }

  private void type(String keys) throws IOException {
    person.write(keys.getBytes(ISO_8859_1));
    person.flush();
  }

  /** What the screen shows up to that text. */
  private String shown(String until) throws IOException {
    StringBuilder shown = new StringBuilder();
    while (shown.indexOf(until) < 0) {
      int next = screen.read();
      assertThat(next).as("the screen goes on behind " + shown).isNotNegative();
      shown.append((char) next);
    }
    return shown.toString();
  }

  private static Departure departure(CompletableFuture<Departure> attached) throws Exception {
    return attached.get(30, TimeUnit.SECONDS);
  }

  @Test
  void passesEveryByteButItsThreeKeysBothWays() throws Exception {
    StringBuilder every = new StringBuilder();
    for (char c = 0; c < 256; c++) {
      if (c != EscapeKeys.LEAVE && c != EscapeKeys.ESCAPE) {
        every.append(c);
      }
    }
    CompletableFuture<Departure> attached = attach();
    assertThat(shown("]\r\n")).contains("[console of router: ^O leaves, ^] ? helps]");
    type(every + ".end");
    assertThat(guest.hears(".end")).isEqualTo(signed(every + ".end"));
    guest.says((every + ".end").getBytes(ISO_8859_1));
    assertThat(shown(".end")).isEqualTo(every + ".end");
    type("\u000f");
    assertThat(departure(attached)).isEqualTo(Departure.LEFT);
  }

  /** As the peer hears it, which extends the sign of a byte. */
  private static String signed(String text) {
    StringBuilder signed = new StringBuilder();
    text.chars().forEach(c -> signed.append((char) (byte) c));
    return signed.toString();
  }

  @Test
  void sendsItsOwnKeysBehindAnEscape() throws Exception {
    CompletableFuture<Departure> attached = attach();
    type("a\u001d\u000fb\u001d\u0010c\u001d\u001dd");
    assertThat(guest.hears("d")).isEqualTo("a\u000fb\u0010c\u001dd");
    type("\u001d?");
    assertThat(shown("types that key]")).contains("^O leaves; ^] s types");
    type("\u001ds");
    shown("[the size of this terminal is not known]");
    type("\u000f");
    assertThat(departure(attached)).isEqualTo(Departure.LEFT);
  }

  @Test
  void typesAllThatCameBeforeLeaving() throws Exception {
    CompletableFuture<Departure> attached = attach();
    type("reboot\r\u000fnot this");
    assertThat(departure(attached)).isEqualTo(Departure.LEFT);
    assertThat(guest.hears("\r")).isEqualTo("reboot\r");
    guest.console().send("next");
    assertThat(guest.hears("next")).isEqualTo("next");
  }

  @Test
  void goesRoundItsChannelsAndShowsWhereItIs() throws Exception {
    try (UnixSocket.Listener listener = UnixSocket.listen(run.file("monitor"))) {
      CompletableFuture<Departure> attached = attach();
      guest.says("boots\r\n# ");
      shown("# ");
      type("ls\r\u0010info\r");
      assertThat(guest.hears("\r")).isEqualTo("ls\r");
      try (UnixSocket monitor = listener.accept(Deadline.after(Duration.ofSeconds(30)))) {
        monitor.write(ByteBuffer.wrap("(qemu) ".getBytes(ISO_8859_1)));
        assertThat(shown("(qemu) ")).contains("[monitor]\r\n");
        ByteBuffer typed = ByteBuffer.allocate(5);
        while (typed.hasRemaining() && monitor.read(typed) >= 0) {}
        assertThat(new String(typed.array(), ISO_8859_1)).isEqualTo("info\r");
        guest.says("meanwhile\r\n# ");
        guest.console().expect("meanwhile\n# ");
        type("\u0010");
        assertThat(shown("meanwhile\r\n# ")).contains("[console]\r\nboots\r\n# meanwhile");
        assertThat(monitor.read(ByteBuffer.allocate(1))).isNegative();
      }
      type("\u000f");
      assertThat(departure(attached)).isEqualTo(Departure.LEFT);
    }
  }

  @Test
  void staysWhereItIsIfTheOtherChannelCannotBeJoined() throws Exception {
    CompletableFuture<Departure> attached =
        attach(
            Attachment.to("console", () -> UnixSocket.connect(run.file("console")))
                .and("monitor", () -> UnixSocket.connect(run.file("nowhere"))));
    type("\u0010");
    shown("[Cannot join the monitor of console: ");
    type("here.");
    assertThat(guest.hears(".")).isEqualTo("here.");
    type("\u000f");
    assertThat(departure(attached)).isEqualTo(Departure.LEFT);
  }

  @Test
  void endsWithItsFarEndAfterItsLastWords() throws Exception {
    CompletableFuture<Departure> attached = attach();
    shown("helps]\r\n");
    guest.says("Power down.\r\n");
    guest.hangsUp();
    assertThat(shown("ended]\r\n")).isEqualTo("Power down.\r\n\r\n[console has ended]\r\n");
    assertThat(departure(attached)).isEqualTo(Departure.ENDED);
  }

  @Test
  void leavesWhenTheTerminalIsClosed() throws Exception {
    CompletableFuture<Departure> attached = attach();
    type("last.");
    person.close();
    assertThat(departure(attached)).isEqualTo(Departure.LEFT);
    assertThat(guest.hears(".")).isEqualTo("last.");
  }

  @Test
  void leavesAGuestThatTakesNothing() throws Exception {
    try (UnixSocket.Listener deaf = UnixSocket.listen(run.file("deaf"))) {
      CompletableFuture<Departure> attached =
          attach(Attachment.to("deaf", () -> UnixSocket.connect(deaf.path())));
      byte[] much = new byte[3 << 20];
      person.write(much);
      person.flush();
      assertThat(shown("\u0007")).as("a bell for what is refused").isNotEmpty();
      type("\u000f");
      assertThat(departure(attached)).isEqualTo(Departure.LEFT);
    }
  }

  @Test
  void endsWhenItsThreadIsInterrupted() throws Exception {
    CompletableFuture<Thread> thread = new CompletableFuture<>();
    CompletableFuture<Departure> attached =
        CompletableFuture.supplyAsync(
            () -> {
              thread.complete(Thread.currentThread());
              return Attachment.to(run.path()).terminal(in, out).run();
            },
            task -> new Thread(task).start());
    shown("helps]\r\n");
    thread.get().interrupt();
    assertThatExceptionOfType(CompletionException.class)
        .isThrownBy(attached::join)
        .withCauseInstanceOf(WaitInterruptedException.class);
  }

  @Test
  void saysWhatIsWrongWithADirectory() {
    assertThatExceptionOfType(ConsoleException.class)
        .isThrownBy(() -> Attachment.to(run.file("none")))
        .withMessageContaining("There is no directory " + run.file("none"));
    assertThatExceptionOfType(ConsoleException.class)
        .isThrownBy(() -> Attachment.to(directory))
        .withMessageContaining(directory + " holds no console");
    Attachment gone = Attachment.to("gone", () -> UnixSocket.connect(run.file("gone")));
    assertThatExceptionOfType(ConsoleException.class)
        .isThrownBy(gone.terminal(in, out)::run)
        .withMessageContaining("Cannot join the gone");
  }

  @Test
  void refusesASecondTerminalAndASecondChannelOfTheSameName() {
    Attachment attachment = Attachment.to(run.path()).terminal(in, out);
    assertThatExceptionOfType(IllegalStateException.class)
        .isThrownBy(() -> attachment.terminal(in, out));
    assertThatExceptionOfType(IllegalArgumentException.class)
        .isThrownBy(() -> attachment.and("console", () -> UnixSocket.connect(run.path())))
        .withMessageContaining("a name of its own");
  }
}
