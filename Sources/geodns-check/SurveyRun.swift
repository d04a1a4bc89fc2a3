import Addressing
import Configuration
import DNSWire
import GeoSources
import Loader

/// Runs one look at the whole address space; prints as it goes.
struct SurveyRun {
    let settings: CheckSettings
    let before: SurveyedWorld
    let database: MaxMindDatabase

    /// Whether nothing was found that the exit status has to tell.
    func run(_ survey: CheckSettings.Survey) -> Bool {
        let after = other(survey)
        var isFine = true
        for name in names(after ?? before) {
            for family in families {
                switch survey {
                case .matrix:
                    let matrix = Matrix(name, family, in: before, source: database)
                    printWhole(settings.writesJSON ? matrix.json : matrix.text)
                case .each:
                    isFine = each(name, family) && isFine
                case .zones, .geoData:
                    let movement = Movement(
                        name, family, from: before, to: after ?? before, source: database)
                    printWhole(
                        settings.writesJSON ? movement.json(down: nil) : movement.comparison)
                    isFine = isWithinLimit(movement, family) && isFine
                }
            }
        }
        return isFine
    }

    /// The world that the first is compared with.
    private func other(_ survey: CheckSettings.Survey) -> SurveyedWorld? {
        var settings = settings
        switch survey {
        case .matrix, .each: return nil
        case .zones(let zones): settings.zones = zones
        case .geoData(let path): settings.geoData = path
        }
        return SurveyedWorld(load(settings).0, labelledDown: settings.down)
    }

    /// Those asked for, or all GEO names of both worlds.
    private func names(_ after: SurveyedWorld) -> [DomainName] {
        for name in settings.names
        where before.geoName(name) == nil && after.geoName(name) == nil {
            CheckSettings.program.fail("\(name) is no GEO name", status: 2)
        }
        guard settings.names.isEmpty else { return settings.names }
        let own = before.world.plan.names.map(\.name)
        return own + after.world.plan.names.map(\.name).filter { before.geoName($0) == nil }
    }

    /// Those of which the database knows anything.
    private var families: [IPAddress.Family] {
        IPAddress.Family.allCases.filter { family in
            var isKnown = false
            database.forEachLeaf(of: family) { _, _, place in
                if place != 0 { isKnown = true }
            }
            return isKnown
        }
    }

    /// Takes the targets of one name as down, one after the other; false when the failure of one
    /// is more than the others can take over.
    private func each(_ name: DomainName, _ family: IPAddress.Family) -> Bool {
        let matrix = Matrix(name, family, in: before, source: database)
        var isFine = true
        if !settings.writesJSON {
            print(matrix.title + ": one target after the other fails")
        }
        for (target, portion) in matrix.all.targets {
            let down = Set(before.world.plan.endpoints(labelled: target))
            // Names outside our zones do not fail.
            guard !down.isEmpty else { continue }
            let after = SurveyedWorld(before.world, down: before.down.union(down))
            let movement = Movement(name, family, from: before, to: after, source: database)
            printWhole(
                settings.writesJSON
                    ? movement.json(down: target) : movement.failure(of: target, with: portion))
            if movement.stranded > 0 { isFine = false }
        }
        return isFine
    }

    private func isWithinLimit(_ movement: Movement, _ family: IPAddress.Family) -> Bool {
        guard let most = settings.movedPortionMax, movement.portion > most else { return true }
        printError(
            "\(movement.name) over \(family.name): \(movement.portion.percent) get another answer, "
                + "more than --max-moved \(most.percent)")
        return false
    }

    private func printWhole(_ text: String) { print(text, terminator: "") }
}
