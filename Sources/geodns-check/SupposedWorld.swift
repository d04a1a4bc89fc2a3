import Loader
import Survey

/// A world with some targets down, of which more may fail.
struct SupposedWorld {
    private let world: World
    /// Numbers of the plan's endpoints.
    private let down: Set<Int>
    private let drained: Set<Int>
    private let standing: Standing
    let surveyed: SurveyedWorld

    /// Ends the program when a label of the changes names nothing. `standing`: of that world.
    init(_ world: World, _ changes: Changes, _ standing: Standing) {
        let (world, down, drained) = world.changed(changes)
        self.init(world, down: down, drained: drained, standing)
    }

    private init(_ world: World, down: Set<Int>, drained: Set<Int>, _ standing: Standing) {
        self.world = world
        self.down = down
        self.drained = drained
        self.standing = standing
        surveyed = SurveyedWorld(
            zones: world.zones,
            answers: standing.answers(world.plan, down: down, drained: drained))
    }

    /// What is left when these are down, too.
    func failing(_ more: Set<Int>) -> SurveyedWorld {
        SupposedWorld(world, down: down.union(more), drained: drained, standing).surveyed
    }
}
