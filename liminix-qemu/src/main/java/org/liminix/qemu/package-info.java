/** Virtual machines in QEMU: how they are described, started, spoken to and ended. */
package org.liminix.qemu;
