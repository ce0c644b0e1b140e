package org.liminix.qemu;

import java.io.Serializable;
import java.util.function.Consumer;

/**
 * What is done with a machine that was booted before its state is kept, see {@link
 * VmBuilder#bootedOnce}.
 *
 * <pre>{@code
 * ReadyAction ready = vm -> vm.shell().run("wait-until-online").orThrow();
 * }</pre>
 *
 * <p>Serializable so that it can be told from others: it never is serialized, and neither need be
 * what it captures.
 */
@FunctionalInterface
public interface ReadyAction extends Consumer<Vm>, Serializable {}
