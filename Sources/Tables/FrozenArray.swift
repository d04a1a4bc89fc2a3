/// An array that never changes after it is made: what a snapshot consists of.
///
/// Queries read it through a `TableView`, which costs no reference counting; whoever holds a view
/// also holds the `FrozenArray` it came from.
@safe @usableFromInline
package final class FrozenArray<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
    /// Taken over as it is: a table of a million names must not be in memory twice while it is
    /// made.
    private let elements: [Element]
    // SAFETY: the storage of `elements`, which stays where it is: it is held here and never
    // changed, and whoever else holds the array gets a copy when changing it.
    @usableFromInline let storage: UnsafeBufferPointer<Element>

    package init(_ elements: consuming [Element]) {
        self.elements = elements
        unsafe storage = self.elements.withUnsafeBufferPointer { unsafe $0 }
    }

    @inlinable package var count: Int { unsafe storage.count }

    @inlinable package subscript(index: Int) -> Element {
        withExtendedLifetime(self) { unsafe view[index] }
    }

    /// Valid for as long as this object lives, and unsafe for that reason: whoever takes a view
    /// sees to it that the object outlives its use.
    @unsafe @inlinable package var view: TableView<Element> {
        unsafe TableView(storage)
    }
}

/// A window on a `FrozenArray`: a pointer and a count, nothing to retain.
///
/// SAFETY: the holder of a view holds the array it came from for at least as long (a `Responder`
/// holds the snapshot whose views it reads). Every access is checked against the count.
@safe @frozen @usableFromInline
package struct TableView<Element: BitwiseCopyable & Sendable>: @unchecked Sendable, BitwiseCopyable
{
    @usableFromInline let base: UnsafePointer<Element>?
    @usableFromInline package let count: Int

    @inlinable init(_ buffer: UnsafeBufferPointer<Element>) {
        unsafe base = buffer.baseAddress
        count = buffer.count
    }

    /// An empty table.
    @inlinable package init() {
        unsafe base = nil
        count = 0
    }

    @inlinable package subscript(index: Int) -> Element {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
        // SAFETY: index < count, checked above; a table with elements has a base.
        return unsafe base.unsafelyUnwrapped[index]
    }

    /// Where the element at `index` stands: for those of which only parts are read.
    @unsafe @inlinable package func pointer(at index: Int) -> UnsafePointer<Element> {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
        // SAFETY: index < count, checked above; a table with elements has a base.
        return unsafe base.unsafelyUnwrapped + index
    }
}

extension TableView where Element == UInt8 {
    /// The whole table as a span.
    @inlinable package var span: Span<UInt8> {
        @_lifetime(borrow self) get {
            // SAFETY: base and count describe the table; the span's lifetime follows the view's.
            let span = unsafe Span(_unsafeStart: base.unsafelyUnwrapped, count: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// Calls `body` with the bytes in `range`, for copies.
    @inlinable package func withBytes<Result>(
        in range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        // SAFETY: the range lies within the table, checked above.
        return unsafe body(
            UnsafeRawBufferPointer(
                UnsafeBufferPointer(
                    start: base.map { unsafe $0 + range.lowerBound }, count: range.count)))
    }
}
