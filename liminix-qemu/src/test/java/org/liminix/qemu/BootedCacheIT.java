package org.liminix.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.process.Deadline;
import org.liminix.process.WaitInterruptedException;
import org.liminix.process.WaitTimeoutException;
import org.liminix.test.ChildJvm;

@Timeout(120)
class BootedCacheIT {
  private static final Duration LONG = Duration.ofSeconds(60);

  @TempDir Path directory;

  @Test
  void makesAGuestOnceForThreadsThatAskAtTheSameTime() throws Exception {
    int threads = 8;
    AtomicInteger made = new AtomicInteger();
    CyclicBarrier together = new CyclicBarrier(threads);
    ExecutorService executor = Executors.newFixedThreadPool(threads);
    try {
      List<CompletableFuture<Void>> users = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        users.add(
            CompletableFuture.runAsync(
                () -> {
                  try {
                    together.await();
                    try (BootedGuest guest =
                        get("key", target -> write(target, "made " + made.incrementAndGet()))) {
                      assertThat(guest.file("state")).hasContent("made 1");
                    }
                  } catch (Exception e) {
                    throw new IllegalStateException(e);
                  }
                },
                executor));
      }
      for (CompletableFuture<Void> user : users) {
        user.get();
      }
    } finally {
      executor.shutdownNow();
    }
    assertThat(made).hasValue(1);
  }

  @Test
  void makesAGuestOnceForProcessesThatAskAtTheSameTime() throws Exception {
    List<ChildJvm> users = new ArrayList<>();
    try {
      for (int i = 0; i < 3; i++) {
        users.add(ChildJvm.run(UserMain.class, directory.toString(), "user " + i));
      }
      for (ChildJvm user : users) {
        assertThat(user.line()).isEqualTo("ready");
      }
      for (ChildJvm user : users) {
        user.type("go");
      }
      String state = users.get(0).line();
      assertThat(state).startsWith("user");
      assertThat(users.get(1).line()).isEqualTo(state);
      assertThat(users.get(2).line()).isEqualTo(state);
    } finally {
      users.forEach(ChildJvm::close);
    }
    assertThat(directory.resolve("made")).hasContent("made");
  }

  /** Asks for a guest when it is told to, and keeps it until its input ends. */
  public static final class UserMain {
    private UserMain() {}

    public static void main(String[] arguments) throws IOException {
      Path directory = Path.of(arguments[0]);
      System.out.println("ready");
      int read = System.in.read();
      try (BootedGuest guest =
          BootedCache.in(directory)
              .get(
                  "key",
                  Deadline.after(LONG),
                  target -> {
                    Files.writeString(
                        directory.resolve("made"),
                        "made",
                        StandardOpenOption.CREATE,
                        StandardOpenOption.APPEND);
                    write(target, arguments[1]);
                  })) {
        System.out.println(Files.readString(guest.file("state")));
        while (read >= 0) {
          read = System.in.read();
        }
      }
    }
  }

  @Test
  void usesNothingThatAProcessHasLeftHalfMade() throws Exception {
    try (ChildJvm jvm = ChildJvm.run(HalfMain.class, directory.toString())) {
      assertThat(jvm.line()).isEqualTo("half");
      assertThatExceptionOfType(WaitTimeoutException.class)
          .isThrownBy(
              () ->
                  BootedCache.in(directory)
                      .get("key", Deadline.after(Duration.ofMillis(50)), target -> {}))
          .withMessageContainingAll("50 ms", "booted/.locks/key", "they may hang");
      jvm.kill();
    }
    try (BootedGuest guest = get("key", target -> write(target, "whole"))) {
      assertThat(guest.file("state")).hasContent("whole");
    }
    assertThat(names()).containsExactlyInAnyOrder(".locks", "key");
  }

  @Test
  void givesUpAWaitForAnotherProcessWhenItIsInterrupted() throws Exception {
    try (ChildJvm jvm = ChildJvm.run(HalfMain.class, directory.toString())) {
      assertThat(jvm.line()).isEqualTo("half");
      givesUpWhenInterrupted();
    }
  }

  @Test
  void givesUpAWaitForAnotherThreadWhenItIsInterrupted() throws Exception {
    CountDownLatch making = new CountDownLatch(1);
    CountDownLatch finish = new CountDownLatch(1);
    Thread maker =
        new Thread(
            () -> {
              try (BootedGuest guest =
                  get(
                      "key",
                      target -> {
                        making.countDown();
                        awaitQuietly(finish);
                        write(target, "made");
                      })) {
                assertThat(guest.file("state")).hasContent("made");
              } catch (IOException e) {
                throw new IllegalStateException(e);
              }
            });
    maker.start();
    making.await();
    givesUpWhenInterrupted();
    finish.countDown();
    maker.join();
    try (BootedGuest guest = get("key", target -> write(target, "again"))) {
      assertThat(guest.file("state")).hasContent("made");
    }
  }

  private void givesUpWhenInterrupted() throws Exception {
    CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
    Thread waiter =
        new Thread(
            () -> {
              try {
                get("key", target -> write(target, "not mine")).close();
                interrupted.completeExceptionally(new AssertionError("It did not wait"));
              } catch (WaitInterruptedException e) {
                interrupted.complete(Thread.currentThread().isInterrupted());
              } catch (IOException | RuntimeException e) {
                interrupted.completeExceptionally(e);
              }
            });
    waiter.start();
    waiter.interrupt();
    assertThat(interrupted.get()).isTrue();
  }

  /** Begins to make a guest and does not finish. */
  public static final class HalfMain {
    private HalfMain() {}

    public static void main(String[] arguments) throws IOException {
      BootedCache.in(Path.of(arguments[0]))
          .get(
              "key",
              Deadline.after(LONG),
              target -> {
                write(target, "half");
                System.out.println("half");
                System.exit(System.in.read());
              })
          .close();
    }
  }

  @Test
  void noticesDamageAndMakesWhatIsDiscardedAnew() throws IOException {
    for (String damaged : new String[] {"changed", "", "made and more"}) {
      try (BootedGuest guest = get("key", target -> write(target, "made"))) {
        assertThat(guest.isDamaged()).isFalse();
        Files.writeString(guest.file("state"), damaged);
        assertThat(guest.isDamaged()).isTrue();
        BootedCache.in(directory).discard(guest, Deadline.after(LONG));
        assertThat(guest.isDamaged()).isTrue();
        try (BootedGuest other = get("key", target -> write(target, "new"))) {
          BootedCache.in(directory).discard(guest, Deadline.after(LONG)); // as a second user does
          assertThat(other.isDamaged()).isFalse();
          BootedCache.in(directory).discard(other, Deadline.after(LONG));
        }
      }
    }
  }

  @Test
  void makesAGuestAnewWhoseMakingFailed() throws IOException {
    assertThatExceptionOfType(IOException.class)
        .isThrownBy(
            () ->
                get(
                    "key",
                    target -> {
                      write(target, "half");
                      throw new IOException("No space left on device");
                    }));
    assertThat(names()).containsExactly(".locks");
    get("key", target -> write(target, "whole")).close();
  }

  @Test
  void removesWhatIsTooMuchOrTooOldUnlessItIsInUse() throws Exception {
    try (ChildJvm user = ChildJvm.run(UserMain.class, directory.toString(), "used elsewhere")) {
      assertThat(user.line()).isEqualTo("ready");
      user.type("go");
      assertThat(user.line()).isEqualTo("used elsewhere");
      try (BootedGuest used = get("used", target -> write(target, "used here"));
          BootedGuest usedTwice = get("used", target -> {})) {
        used.close();
        used.close();
        get("idle", target -> write(target, "idle")).close();
        get("fresh", target -> write(target, "fresh")).close();
        for (String key : new String[] {"key", "used", "idle"}) {
          Files.setLastModifiedTime(
              directory.resolve("booted").resolve(key).resolve("state"),
              FileTime.from(Instant.now().minus(Duration.ofDays(8))));
        }
        Files.createDirectory(directory.resolve("booted/.other.new")); // of one who was killed

        get("next", target -> write(target, "next")).close();
        assertThat(names()).containsExactlyInAnyOrder(".locks", "fresh", "key", "next", "used");

        BootedCache.in(directory, 1)
            .get("last", Deadline.after(LONG), target -> write(target, "last"))
            .close();
        assertThat(names()).containsExactlyInAnyOrder(".locks", "key", "last", "used");
        assertThat(usedTwice.isDamaged()).isFalse();
      }
      user.finish();
    }
    BootedCache.in(directory, 1)
        .get("end", Deadline.after(LONG), target -> write(target, "end"))
        .close();
    assertThat(names()).containsExactlyInAnyOrder(".locks", "end");
  }

  private BootedGuest get(String key, BootedCache.Maker maker) throws IOException {
    return BootedCache.in(directory).get(key, Deadline.after(LONG), maker);
  }

  private static void write(Path target, String state) throws IOException {
    Files.writeString(target.resolve("state"), state);
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(directory.resolve("booted"))) {
      return files.map(path -> path.getFileName().toString()).toList();
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
